/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "state-json.h"
#include "credential-check.h"
#include "credential-json.h"
#include "credentials-private.h"
#include "last-used-line.h"

#include <jansson.h>

#define MEMBER_USER "user"
#define MEMBER_ID "id"
#define MEMBER_TIME "time"
#define MEMBER_ADDRESS "address"

#define ADDRESS_MAX_LEN 64

int last_used_address_parse(const char *address, struct ip_addr *ip_r,
			    const char **error_r)
{
	struct ip_addr ip;

	i_zero(&ip);
	if (*address != '\0' && net_addr2ip(address, &ip) < 0) {
		*error_r = MEMBER_ADDRESS" is not one of IPv4 or IPv6";
		return -1;
	}
	*ip_r = ip;
	return 0;
}

bool last_used_line_is_valid(const struct last_used_line *line,
			     const char **error_r)
{
	const char *error;

	if (!credential_user_name_is_valid(line->user, &error)) {
		*error_r = t_strconcat(MEMBER_USER" ", error, NULL);
		return FALSE;
	}
	if (*line->id != '\0' && !app_password_id_is_valid(line->id, &error)) {
		*error_r = t_strconcat(MEMBER_ID" ", error, NULL);
		return FALSE;
	}
	return TRUE;
}

void last_used_line_print(string_t *dest, const struct last_used_line *line)
{
	str_printfa(dest, "{\""MEMBER_USER"\":%s,\""MEMBER_ID"\":\"%s\","
		    "\""MEMBER_TIME"\":%"PRIdTIME_T,
		    credentials_quote(line->user), line->id, line->time);
	if (line->ip.family != 0) {
		str_printfa(dest, ",\""MEMBER_ADDRESS"\":\"%s\"",
			    net_ip2addr(&line->ip));
	}
	str_append(dest, "}\n");
}

static int
parse(json_t *root, struct last_used_line *line_r, const char **error_r)
{
	struct last_used_line line;
	const char *address;
	uint64_t number;

	if (state_json_get_string(root, MEMBER_USER,
				  CREDENTIAL_USER_NAME_MAX_LEN, &line.user,
				  error_r) < 0 ||
	    state_json_get_string(root, MEMBER_ID, APP_PASSWORD_ID_LEN,
				  &line.id, error_r) < 0 ||
	    state_json_get_number(root, MEMBER_TIME, &number, error_r) < 0 ||
	    state_json_get_string(root, MEMBER_ADDRESS, ADDRESS_MAX_LEN,
				  &address, error_r) < 0 ||
	    last_used_address_parse(address, &line.ip, error_r) < 0 ||
	    !last_used_line_is_valid(&line, error_r))
		return -1;
	line.user = t_strdup(line.user);
	line.id = t_strdup(line.id);
	line.time = (time_t)number;
	*line_r = line;
	return 0;
}

int last_used_line_parse(const void *text, size_t size,
			 struct last_used_line *line_r, const char **error_r)
{
	unsigned int line, column;
	json_t *root;
	int ret = -1;

	if (size > LAST_USED_LINE_MAX_SIZE) {
		*error_r = t_strdup_printf("%zu octets, expected at most %u",
					   size, LAST_USED_LINE_MAX_SIZE);
		return -1;
	}
	root = credential_json_load(text, size, &line, &column, error_r);
	if (root == NULL)
		return -1;
	if (json_is_object(root))
		ret = parse(root, line_r, error_r);
	else
		*error_r = "not a JSON object";
	json_decref(root);
	return ret;
}
