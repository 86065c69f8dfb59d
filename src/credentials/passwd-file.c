/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "strnum.h"
#include "credential-check.h"
#include "passwd-file.h"

#define SEPARATOR ':'
#define EXTRA_SEPARATOR ' '
#define USERDB_PREFIX "userdb_"

enum column {
	COLUMN_NAME,
	COLUMN_PASSWORD,
	COLUMN_UID,
	COLUMN_GID,
	COLUMN_GECOS,
	COLUMN_HOME,
	COLUMN_SHELL,
	/* the rest of the line, also what has the separator */
	COLUMN_EXTRA,

	COLUMN_COUNT
};

struct text {
	const char *data;
	size_t len;
};

/* What the passdb may get from the extra fields of a line. None of it can be
   taken over: these would change who gets in, or where to. */
static const char *const passdb_fields[] = {
	"allow_nets", "allow_real_nets", "destuser", "fail", "forward",
	"host", "hostip", "local_name", "login_user", "master",
	"noauthenticate", "nodelay", "nologin", "nopassword", "original_user",
	"pass", "password", "port", "protocol", "proxy", "proxy_maybe",
	"proxy_nopipelining", "proxy_timeout", "reason", "source_ip", "ssl",
	"starttls", "user", "username",
};

static bool text_equals(const struct text *text, const char *word)
{
	return strlen(word) == text->len &&
		strncasecmp(text->data, word, text->len) == 0;
}

/* Columns that the line does not have are empty. */
static void split(const char *line, struct text columns[COLUMN_COUNT])
{
	const char *end;
	unsigned int i;

	for (i = 0; i < COLUMN_COUNT; i++) {
		end = i == COLUMN_EXTRA ? NULL : strchr(line, SEPARATOR);
		columns[i].data = line;
		columns[i].len = end == NULL ? strlen(line) :
			(size_t)(end - line);
		line += columns[i].len;
		if (end != NULL)
			line++;
	}
}

static bool line_is_passed_over(const char *line)
{
	return *line == '\0' || *line == SEPARATOR || *line == '#';
}

const char *passwd_file_get_name(const char *line)
{
	const char *end = strchr(line, SEPARATOR), *name, *error;

	if (line_is_passed_over(line) || end == NULL ||
	    end - line > CREDENTIAL_USER_NAME_MAX_LEN)
		return NULL;
	name = t_strdup_until(line, end);
	return credential_user_name_is_valid(name, &error) ? name : NULL;
}

static int
add_field(struct passwd_file_entry *entry, pool_t pool, const char *name,
	  const char *value, const char **error_r)
{
	struct credential_pair *pair;
	const struct credential_pair *other;
	const char *error;

	if (!credential_text_is_valid(value, CREDENTIAL_FIELD_VALUE_MAX_LEN,
				      &error)) {
		*error_r = t_strdup_printf("the value %s", error);
		return -1;
	}
	array_foreach(&entry->user.fields, other) {
		if (strcmp(other->name, name) == 0) {
			*error_r = "has been given before, also as a column";
			return -1;
		}
	}
	if (array_count(&entry->user.fields) == CREDENTIAL_FIELDS_MAX) {
		*error_r = t_strdup_printf("is one too many, expected at most "
					   "%u", CREDENTIAL_FIELDS_MAX);
		return -1;
	}
	pair = array_append_space(&entry->user.fields);
	pair->name = p_strdup(pool, name);
	pair->value = p_strdup(pool, value);
	return 0;
}

static bool is_clear_text(const struct text *scheme)
{
	return text_equals(scheme, "PLAIN") || text_equals(scheme, "CLEAR") ||
		text_equals(scheme, "CLEARTEXT");
}

static int
parse_clear_text(const struct text *password, pool_t pool,
		 struct passwd_file_entry *entry, const char **error_r)
{
	if (password->len == 0) {
		*error_r = "the password is empty, expected one behind its "
			"scheme, or an empty column for none";
		return -1;
	}
	entry->clear_text = p_strndup(pool, password->data, password->len);
	return 0;
}

static int
parse_password(const struct text *password, pool_t pool,
	       struct passwd_file_entry *entry, const char **error_r)
{
	const char *end, *error;
	struct text part;

	if (password->len == 0)
		return 0;
	if (*password->data != '{' && *password->data != '$') {
		*error_r = "the password has no scheme, expected {SCHEME} "
			"before it (the default of the passdb, which is CRYPT "
			"if it is not set), or an empty column for none";
		return -1;
	}
	end = memchr(password->data, '}', password->len);
	if (*password->data == '{' && end != NULL) {
		part.data = password->data + 1;
		part.len = end - part.data;
		if (is_clear_text(&part)) {
			part.len = password->len - part.len - 2;
			part.data = end + 1;
			return parse_clear_text(&part, pool, entry, error_r);
		}
	}
	entry->user.password =
		p_strndup(pool, password->data, password->len);
	if (!credential_hash_is_valid(entry->user.password, &error)) {
		*error_r = t_strdup_printf("the password %s", error);
		return -1;
	}
	return 0;
}

/* A number or a name, which is not looked up. Dovecot takes neither 0 nor the
   number that stands for none from such a file. */
static int
parse_id(const struct text *column, const char *what, const char *field,
	 pool_t pool, struct passwd_file_entry *entry, const char **error_r)
{
	const char *text, *error;
	uint32_t number;

	if (column->len == 0)
		return 0;
	text = t_strndup(column->data, column->len);
	if (strspn(text, "0123456789") == column->len &&
	    (str_to_uint32(text, &number) < 0 || number == 0 ||
	     number == UINT32_MAX)) {
		*error_r = t_strdup_printf("the %s is not one that Dovecot "
			"takes, expected 1 to %u, or a name", what,
			UINT32_MAX - 1);
		return -1;
	}
	if (add_field(entry, pool, field, text, &error) < 0) {
		*error_r = t_strdup_printf("the %s: %s", what, error);
		return -1;
	}
	return 0;
}

static int
parse_home(const struct text *column, pool_t pool,
	   struct passwd_file_entry *entry, const char **error_r)
{
	const char *error;

	if (column->len > 0 &&
	    add_field(entry, pool, USERDB_PREFIX"home",
		      t_strndup(column->data, column->len), &error) < 0) {
		*error_r = t_strdup_printf("the home: %s", error);
		return -1;
	}
	return 0;
}

static bool is_userdb_field(const struct text *field)
{
	const size_t prefix_len = strlen(USERDB_PREFIX);

	return field->len > prefix_len &&
		strncmp(field->data, USERDB_PREFIX, prefix_len) == 0 &&
		field->data[prefix_len] != '=';
}

/* Another field of a passdb. Its name may be "NAME:protected" and the like. */
static const char *passdb_field_error(const struct text *field)
{
	struct text name = { field->data, 0 };
	unsigned int i;

	while (name.len < field->len && name.data[name.len] != '=' &&
	       name.data[name.len] != ':')
		name.len++;
	for (i = 0; i < N_ELEMENTS(passdb_fields); i++) {
		if (text_equals(&name, passdb_fields[i])) {
			return t_strdup_printf("%s cannot be taken over: a "
				"credential file has fields of the userdb only",
				passdb_fields[i]);
		}
	}
	return "is none of the userdb, expected userdb_NAME=VALUE";
}

static int
parse_extra_field(const struct text *field, pool_t pool,
		  struct passwd_file_entry *entry, const char **error_r)
{
	const char *name, *value, *error;

	if (!is_userdb_field(field)) {
		*error_r = passdb_field_error(field);
		return -1;
	}
	name = t_strndup(field->data, field->len);
	value = strchr(name, '=');
	if (value == NULL) {
		value = "";
	} else {
		name = t_strdup_until(name, value);
		value++;
	}
	if (!credential_field_name_is_valid(name, &error)) {
		*error_r = t_strdup_printf("the name %s", error);
		return -1;
	}
	if (strchr(value, '%') != NULL) {
		*error_r = "the value has a %, by which Dovecot finds "
			"variables; a credential file has none, expected what "
			"it stands for";
		return -1;
	}
	return add_field(entry, pool, name, value, error_r);
}

static int
parse_extra(const struct text *column, pool_t pool,
	    struct passwd_file_entry *entry, const char **error_r)
{
	struct text field = { column->data, 0 };
	unsigned int number = 0;
	const char *error;

	if (*column->data == SEPARATOR && column->len > 1) {
		*error_r = "there is a column behind the extra fields, where "
			"Dovecot 2.3 has the mail location, expected it as "
			"userdb_mail=LOCATION among them";
		return -1;
	}
	if (*column->data == SEPARATOR)
		return 0;
	for (; *field.data != '\0'; field.data += field.len) {
		if (*field.data == EXTRA_SEPARATOR) {
			field.len = 1;
			continue;
		}
		field.len = strcspn(field.data, " ");
		number++;
		if (parse_extra_field(&field, pool, entry, &error) < 0) {
			*error_r = t_strdup_printf("extra field %u: %s",
						   number, error);
			return -1;
		}
	}
	return 0;
}

static int
parse_name(const char *line, const struct text *column, pool_t pool,
	   struct passwd_file_entry *entry, const char **error_r)
{
	const char *name, *error;

	/* such a line may be anything, also a password */
	if (line[column->len] == '\0') {
		*error_r = "there is no password column, expected "
			"USER:PASSWORD:UID:GID:GECOS:HOME:SHELL:EXTRA";
		return -1;
	}
	name = p_strndup(pool, line, column->len);
	if (!credential_user_name_is_valid(name, &error)) {
		*error_r = t_strdup_printf("the name of the user %s", error);
		return -1;
	}
	credential_user_init(&entry->user, name, pool);
	return 0;
}

int passwd_file_parse(const char *line, pool_t pool,
		      struct passwd_file_entry *entry_r, const char **error_r)
{
	struct text columns[COLUMN_COUNT];
	struct passwd_file_entry entry;

	if (line_is_passed_over(line))
		return 0;
	split(line, columns);
	i_zero(&entry);
	if (parse_name(line, &columns[COLUMN_NAME], pool, &entry,
		       error_r) < 0 ||
	    parse_password(&columns[COLUMN_PASSWORD], pool, &entry,
			   error_r) < 0 ||
	    parse_id(&columns[COLUMN_UID], "uid", USERDB_PREFIX"uid", pool,
		     &entry, error_r) < 0 ||
	    parse_id(&columns[COLUMN_GID], "gid", USERDB_PREFIX"gid", pool,
		     &entry, error_r) < 0 ||
	    parse_home(&columns[COLUMN_HOME], pool, &entry, error_r) < 0 ||
	    parse_extra(&columns[COLUMN_EXTRA], pool, &entry, error_r) < 0)
		return -1;
	*entry_r = entry;
	return 1;
}
