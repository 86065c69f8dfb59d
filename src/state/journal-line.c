/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "uidl.h"
#include "device-names.h"
#include "state-json.h"
#include "journal-line.h"

#include <jansson.h>
#include <limits.h>

#define JOURNAL_VERSION 1

#define MEMBER_VERSION "version"
#define MEMBER_EPOCH "epoch"
#define MEMBER_GENERATION "generation"
#define MEMBER_UID "uid"
#define MEMBER_GUID "guid"
#define MEMBER_SIZE "size"
#define MEMBER_HASH "hash"
#define MEMBER_UIDL "uidl"
#define MEMBER_DOWNLOADED "downloaded"
#define MEMBER_DEVICES "devices"
#define MEMBER_GONE "gone"

/* jansson takes many times as long to print. */

static void
append_number(string_t *dest, const char *name, uint64_t number)
{
	char buf[MAX_INT_STRLEN];

	str_append(dest, name);
	str_append(dest, dec2str_buf(buf, number));
}

/* The string is UTF-8 without control characters: two of its characters need an
   escape. */
static void
append_string(string_t *dest, const char *name, const char *string)
{
	size_t len;

	str_append(dest, name);
	str_append_c(dest, '"');
	for (;;) {
		len = strcspn(string, "\"\\");
		str_append_data(dest, string, len);
		string += len;
		if (*string == '\0')
			break;
		str_append_c(dest, '\\');
		str_append_c(dest, *string++);
	}
	str_append_c(dest, '"');
}

void policy_journal_header_print(string_t *dest,
				 const struct policy_journal_header *header)
{
	append_number(dest, "{\""MEMBER_VERSION"\":", JOURNAL_VERSION);
	append_number(dest, ",\""MEMBER_EPOCH"\":", header->epoch);
	append_number(dest, ",\""MEMBER_GENERATION"\":", header->generation);
	str_append(dest, "}\n");
}

static void
append_devices(string_t *dest, const struct pop3_message_device *device)
{
	const char *separator = "{";

	str_append(dest, ",\""MEMBER_DEVICES"\":");
	for (; device->name != NULL; device++) {
		append_string(dest, separator, device->name);
		append_number(dest, ":", (uint64_t)device->downloaded);
		separator = ",";
	}
	str_append_c(dest, '}');
}

void policy_journal_line_print(string_t *dest,
			       const struct pop3_message *message)
{
	str_append_c(dest, '{');
	if (message->uid != 0) {
		append_number(dest, "\""MEMBER_UID"\":", message->uid);
		str_append_c(dest, ',');
	}
	append_number(dest, "\""MEMBER_SIZE"\":", message->size);
	if (message->guid[0] != '\0')
		append_string(dest, ",\""MEMBER_GUID"\":", message->guid);
	if (message->hash[0] != '\0')
		append_string(dest, ",\""MEMBER_HASH"\":", message->hash);
	append_string(dest, ",\""MEMBER_UIDL"\":", message->uidl);
	if (message->downloaded > 0) {
		append_number(dest, ",\""MEMBER_DOWNLOADED"\":",
			      (uint64_t)message->downloaded);
	}
	if (pop3_message_devices_count(message) > 0)
		append_devices(dest, message->devices);
	if (message->gone > 0) {
		append_number(dest, ",\""MEMBER_GONE"\":",
			      (uint64_t)message->gone);
	}
	str_append(dest, "}\n");
}

static json_t *load(const void *line, size_t size, const char **error_r)
{
	json_error_t json_error;
	json_t *root;

	root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &json_error);
	if (root == NULL) {
		*error_r = t_strdup_printf("column %d: %s", json_error.column,
					   json_error.text);
	} else if (!json_is_object(root)) {
		json_decref(root);
		root = NULL;
		*error_r = "not a JSON object";
	}
	return root;
}

static enum policy_journal_header_result
header_parse(json_t *root, struct policy_journal_header *header_r,
	     const char **error_r)
{
	struct policy_journal_header header;
	int ret = state_json_is_newer(root, JOURNAL_VERSION, error_r);

	if (ret > 0)
		return POLICY_JOURNAL_HEADER_TOO_NEW;
	if (ret < 0 ||
	    state_json_get_uint32(root, MEMBER_EPOCH, 1, &header.epoch,
				  error_r) < 0 ||
	    state_json_get_uint32(root, MEMBER_GENERATION, 1,
				  &header.generation, error_r) < 0)
		return POLICY_JOURNAL_HEADER_DAMAGED;
	*header_r = header;
	return POLICY_JOURNAL_HEADER_OK;
}

enum policy_journal_header_result
policy_journal_header_parse(const void *line, size_t size,
			    struct policy_journal_header *header_r,
			    const char **error_r)
{
	enum policy_journal_header_result result;
	json_t *root = load(line, size, error_r);

	if (root == NULL)
		return POLICY_JOURNAL_HEADER_DAMAGED;
	result = header_parse(root, header_r, error_r);
	json_decref(root);
	return result;
}

/* Seconds since 1970; 0 if there is no such member. */
static int
get_time(json_t *root, const char *name, time_t *time_r, const char **error_r)
{
	uint64_t number = 0;

	if (json_object_get(root, name) != NULL &&
	    state_json_get_number(root, name, &number, error_r) < 0)
		return -1;
	*time_r = (time_t)number;
	return 0;
}

static int
device_parse(json_t *json, const char *name, pool_t pool,
	     struct pop3_message *message, const char **error_r)
{
	time_t downloaded;

	if (!pop3_device_name_is_valid(name, error_r) ||
	    get_time(json, name, &downloaded, error_r) < 0)
		return -1;
	if (downloaded > 0)
		pop3_message_add_device(pool, message, name, downloaded);
	return 0;
}

static int
devices_parse(json_t *root, pool_t pool, struct pop3_message *message,
	      const char **error_r)
{
	const char *name, *error;
	json_t *json, *value;

	if (state_json_get_object(root, MEMBER_DEVICES, &json, error_r) < 0)
		return -1;
	if (json_object_size(json) > POP3_DEVICES_MAX) {
		*error_r = t_strdup_printf(MEMBER_DEVICES" has %zu entries, "
			"expected at most %u", json_object_size(json),
			POP3_DEVICES_MAX);
		return -1;
	}
	json_object_foreach(json, name, value) {
		if (device_parse(json, name, pool, message, &error) < 0) {
			*error_r = t_strdup_printf(MEMBER_DEVICES": %s", error);
			return -1;
		}
	}
	return 0;
}

static int
message_parse(json_t *root, pool_t pool, struct pop3_message *message_r,
	      const char **error_r)
{
	i_zero(message_r);
	if (json_object_get(root, MEMBER_UID) != NULL &&
	    state_json_get_uint32(root, MEMBER_UID, 1, &message_r->uid,
				  error_r) < 0)
		return -1;
	if (state_json_get_number(root, MEMBER_SIZE, &message_r->size,
				  error_r) < 0 ||
	    state_json_get_printable(root, MEMBER_GUID, POP3_GUID_MAX_LEN,
				     &message_r->guid, error_r) < 0 ||
	    state_json_get_printable(root, MEMBER_HASH, JOURNAL_HASH_MAX_LEN,
				     &message_r->hash, error_r) < 0 ||
	    state_json_get_uidl(root, MEMBER_UIDL, &message_r->uidl,
				error_r) < 0 ||
	    get_time(root, MEMBER_DOWNLOADED, &message_r->downloaded,
		     error_r) < 0 ||
	    devices_parse(root, pool, message_r, error_r) < 0)
		return -1;
	return get_time(root, MEMBER_GONE, &message_r->gone, error_r);
}

/* The printer's lines are read as they are written: jansson takes ten times as
   long. What differs from them in any way is left to it. */

struct line_reader {
	const char *p, *end;
};

static bool take(struct line_reader *reader, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->p) < len ||
	    memcmp(reader->p, text, len) != 0)
		return FALSE;
	reader->p += len;
	return TRUE;
}

/* Without zeroes before it, and without any that could be too large. */
static bool take_number(struct line_reader *reader, uint64_t *number_r)
{
	const char *start = reader->p, *p = start;
	const char *end = start + I_MIN(reader->end - start, 18);
	uint64_t number = 0;

	while (p < end && *p >= '0' && *p <= '9')
		number = number * 10 + (*p++ - '0');
	reader->p = p;
	*number_r = number;
	return p > start && (*start != '0' || p == start + 1);
}

static bool take_time(struct line_reader *reader, time_t *time_r)
{
	uint64_t number;

	if (!take_number(reader, &number))
		return FALSE;
	*time_r = (time_t)number;
	return TRUE;
}

/* Printable ASCII without the quote and the backslash. */
static const bool is_plain[UCHAR_MAX + 1] = {
	['!'] = TRUE, ['#' ... '['] = TRUE, [']' ... '~'] = TRUE
};

/* With the quote that ends it. */
static bool take_string(struct line_reader *reader, size_t max_len, pool_t pool,
			const char **value_r)
{
	const char *start = reader->p, *p = start;

	while (p < reader->end && is_plain[(unsigned char)*p])
		p++;
	reader->p = p;
	*value_r = p_strdup_until(pool, start, p);
	return (size_t)(p - start) <= max_len && take(reader, "\"");
}

/* Behind the brace. */
static bool
take_devices(struct line_reader *reader, pool_t pool,
	     struct pop3_message *message)
{
	const char *name, *error;
	unsigned int count = 0;
	time_t downloaded;

	do {
		if (!take(reader, "\"") ||
		    !take_string(reader, POP3_DEVICE_NAME_MAX_LEN, pool,
				 &name) ||
		    !pop3_device_name_is_valid(name, &error) ||
		    !take(reader, ":") || !take_time(reader, &downloaded) ||
		    downloaded == 0 || count++ == POP3_DEVICES_MAX)
			return FALSE;
		pop3_message_add_device(pool, message, name, downloaded);
		/* twice in one line is an error */
		if (pop3_message_devices_count(message) != count)
			return FALSE;
	} while (take(reader, ","));
	return take(reader, "}");
}

static bool
take_message(struct line_reader *reader, pool_t pool,
	     struct pop3_message *message_r)
{
	const char *error;
	uint64_t uid;

	i_zero(message_r);
	message_r->guid = message_r->hash = "";
	if (take(reader, "{\""MEMBER_UID"\":")) {
		if (!take_number(reader, &uid) || uid == 0 ||
		    uid > UINT32_MAX || !take(reader, ","))
			return FALSE;
		message_r->uid = (uint32_t)uid;
	} else if (!take(reader, "{")) {
		return FALSE;
	}
	return take(reader, "\""MEMBER_SIZE"\":") &&
		take_number(reader, &message_r->size) &&
		(!take(reader, ",\""MEMBER_GUID"\":\"") ||
		 take_string(reader, POP3_GUID_MAX_LEN, pool,
			     &message_r->guid)) &&
		(!take(reader, ",\""MEMBER_HASH"\":\"") ||
		 take_string(reader, JOURNAL_HASH_MAX_LEN, pool,
			     &message_r->hash)) &&
		take(reader, ",\""MEMBER_UIDL"\":\"") &&
		take_string(reader, POP3_UIDL_MAX_LEN, pool,
			    &message_r->uidl) &&
		pop3_uidl_is_valid(message_r->uidl, &error) &&
		(!take(reader, ",\""MEMBER_DOWNLOADED"\":") ||
		 take_time(reader, &message_r->downloaded)) &&
		(!take(reader, ",\""MEMBER_DEVICES"\":{") ||
		 take_devices(reader, pool, message_r)) &&
		(!take(reader, ",\""MEMBER_GONE"\":") ||
		 take_time(reader, &message_r->gone)) &&
		take(reader, "}") && reader->p == reader->end;
}

int policy_journal_line_parse(const void *line, size_t size, pool_t pool,
			      struct pop3_message *message_r,
			      const char **error_r)
{
	struct line_reader reader = {
		.p = line,
		.end = CONST_PTR_OFFSET(line, size),
	};
	struct pop3_message message;
	json_t *root;
	int ret;

	if (take_message(&reader, pool, &message)) {
		*message_r = message;
		return 0;
	}
	root = load(line, size, error_r);
	if (root == NULL)
		return -1;
	ret = message_parse(root, pool, &message, error_r);
	if (ret == 0) {
		message.guid = p_strdup(pool, message.guid);
		message.hash = p_strdup(pool, message.hash);
		message.uidl = p_strdup(pool, message.uidl);
		*message_r = message;
	}
	json_decref(root);
	return ret;
}
