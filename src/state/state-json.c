/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "uidl.h"
#include "state-json.h"

#include <jansson.h>

int state_json_get_object(json_t *parent, const char *name, json_t **value_r,
			  const char **error_r)
{
	json_t *value = json_object_get(parent, name);

	if (value != NULL && !json_is_object(value)) {
		*error_r = t_strdup_printf("%s is not an object", name);
		return -1;
	}
	*value_r = value;
	return 0;
}

int state_json_get_number(json_t *parent, const char *name, uint64_t *number_r,
			  const char **error_r)
{
	json_t *value = json_object_get(parent, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		*error_r = t_strdup_printf(
			"%s is not a whole number of 0 or more", name);
		return -1;
	}
	*number_r = (uint64_t)json_integer_value(value);
	return 0;
}

int state_json_get_uint32(json_t *parent, const char *name, uint32_t min,
			  uint32_t *number_r, const char **error_r)
{
	json_t *value = json_object_get(parent, name);

	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > UINT32_MAX) {
		*error_r = t_strdup_printf(
			"%s is not a whole number from %u to %u", name, min,
			UINT32_MAX);
		return -1;
	}
	*number_r = (uint32_t)json_integer_value(value);
	return 0;
}

int state_json_get_string(json_t *parent, const char *name, size_t max_len,
			  const char **value_r, const char **error_r)
{
	json_t *value = json_object_get(parent, name);

	if (value == NULL) {
		*value_r = "";
		return 0;
	}
	if (!json_is_string(value)) {
		*error_r = t_strdup_printf("%s is not a string", name);
		return -1;
	}
	if (json_string_length(value) > max_len) {
		*error_r = t_strdup_printf(
			"%s has %zu octets, expected at most %zu", name,
			json_string_length(value), max_len);
		return -1;
	}
	*value_r = json_string_value(value);
	return 0;
}

int state_json_get_printable(json_t *parent, const char *name, size_t max_len,
			     const char **value_r, const char **error_r)
{
	const char *value, *p;

	if (state_json_get_string(parent, name, max_len, &value, error_r) < 0)
		return -1;
	for (p = value; *p != '\0'; p++) {
		if (*p < 0x21 || *p > 0x7e) {
			*error_r = t_strdup_printf("%s has octet 0x%02x at "
				"position %u, expected 0x21 to 0x7e", name,
				(unsigned char)*p,
				(unsigned int)(p - value) + 1);
			return -1;
		}
	}
	*value_r = value;
	return 0;
}

int state_json_get_uidl(json_t *parent, const char *name, const char **value_r,
			const char **error_r)
{
	const char *value, *error;

	if (state_json_get_string(parent, name, POP3_UIDL_MAX_LEN, &value,
				  error_r) < 0)
		return -1;
	if (!pop3_uidl_is_valid(value, &error)) {
		*error_r = t_strdup_printf("%s: %s", name, error);
		return -1;
	}
	*value_r = value;
	return 0;
}

int state_json_is_newer(json_t *root, unsigned int known_version,
			const char **error_r)
{
	uint64_t version;

	if (!json_is_object(root)) {
		*error_r = "not a JSON object";
		return -1;
	}
	if (state_json_get_number(root, "version", &version, error_r) < 0)
		return -1;
	if (version == 0) {
		*error_r = "version 0 does not exist";
		return -1;
	}
	if (version > known_version) {
		*error_r = t_strdup_printf("version %"PRIu64" is newer than "
			"version %u, which this plugin knows: upgrade it",
			version, known_version);
		return 1;
	}
	return 0;
}

void state_json_set(json_t *parent, const char *name, json_t *value)
{
	if (json_object_set_new(parent, name, value) < 0)
		i_unreached();
}

void state_json_set_number(json_t *parent, const char *name, uint64_t number)
{
	json_int_t value = (json_int_t)I_MIN(number, (uint64_t)INT64_MAX);

	state_json_set(parent, name, json_integer(value));
}

json_t *state_json_make_object(json_t *parent, const char *name)
{
	json_t *value = json_object_get(parent, name);

	if (value == NULL) {
		value = json_object();
		state_json_set(parent, name, value);
	}
	return value;
}
