#ifndef POP3_POLICY_STATE_JSON_H
#define POP3_POLICY_STATE_JSON_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Members of JSON objects, as the state and the journal have them. Errors name
   the member, and say what was expected; numbers are whole. jansson allocates
   with malloc() as Dovecot does, which never fails here. */
struct json_t;

/* *value_r is NULL if parent is, or has no such member. */
int state_json_get_object(struct json_t *parent, const char *name,
			  struct json_t **value_r, const char **error_r);
/* The member must be there. */
int state_json_get_number(struct json_t *parent, const char *name,
			  uint64_t *number_r, const char **error_r);
int state_json_get_uint32(struct json_t *parent, const char *name,
			  uint32_t min, uint32_t *number_r,
			  const char **error_r);
/* The value lives as long as parent. It is "" if there is no such member. */
int state_json_get_string(struct json_t *parent, const char *name,
			  size_t max_len, const char **value_r,
			  const char **error_r);
/* Likewise, of the characters 0x21 to 0x7E only. */
int state_json_get_printable(struct json_t *parent, const char *name,
			     size_t max_len, const char **value_r,
			     const char **error_r);
/* A UIDL, which must be there. */
int state_json_get_uidl(struct json_t *parent, const char *name,
			const char **value_r, const char **error_r);
/* Whether a newer version wrote this. Returns 1, 0 if it is ours to read, -1 if
   it has no version; then and for 1 *error_r is set. */
int state_json_is_newer(struct json_t *root, unsigned int known_version,
			const char **error_r);

/* Numbers that JSON text of ours cannot have become the largest one. */
void state_json_set_number(struct json_t *parent, const char *name,
			   uint64_t number);
/* value is taken over; it must be UTF-8 if it is text. */
void state_json_set(struct json_t *parent, const char *name,
		    struct json_t *value);
/* The member of that name, made if parent has none. */
struct json_t *state_json_make_object(struct json_t *parent, const char *name);

#endif
