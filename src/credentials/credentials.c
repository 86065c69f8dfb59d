/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "safe-memset.h"
#include "str.h"
#include "unichar.h"
#include "credential-json.h"
#include "credentials-private.h"

#include <jansson.h>

#define EMPTY_TEXT \
	"{\""CREDENTIALS_MEMBER_VERSION"\":1"CREDENTIALS_HEADER_END"\n" \
	CREDENTIALS_END

void credentials_text_free(string_t **text)
{
	if (*text == NULL)
		return;
	safe_memset(str_c_modifiable(*text), 0, str_len(*text));
	str_free(text);
}

static struct credentials *credentials_alloc(string_t **text)
{
	struct credentials *credentials = i_new(struct credentials, 1);

	credentials->text = *text;
	*text = NULL;
	i_array_init(&credentials->entries, 32);
	return credentials;
}

void credentials_deinit(struct credentials **_credentials)
{
	struct credentials *credentials = *_credentials;

	if (credentials == NULL)
		return;
	*_credentials = NULL;
	credentials_text_free(&credentials->text);
	array_free(&credentials->entries);
	i_free(credentials);
}

/* Returns -1 and an error if the text is none that could be converted. */
static int convert(struct credentials *credentials, const char **error_r)
{
	ARRAY_TYPE(credentials_place) places;
	string_t *text;
	int ret;

	text = str_new(default_pool, str_len(credentials->text));
	i_array_init(&places, 32);
	ret = credentials_convert(credentials->text, text, &places, error_r);
	credentials_text_free(&credentials->text);
	credentials->text = text;
	array_clear(&credentials->entries);
	if (ret == 0 && !credentials_index(credentials, &places))
		i_unreached();
	array_free(&places);
	return ret;
}

int credentials_init(string_t **text, struct credentials **credentials_r,
		     const char **error_r)
{
	struct credentials *credentials = credentials_alloc(text);

	if (str_len(credentials->text) > CREDENTIALS_MAX_SIZE) {
		*error_r = t_strdup_printf("%zu octets, expected at most %u",
			str_len(credentials->text), CREDENTIALS_MAX_SIZE);
	} else if (credentials_index(credentials, NULL) ||
		   convert(credentials, error_r) == 0) {
		*credentials_r = credentials;
		return 0;
	}
	credentials_deinit(&credentials);
	return -1;
}

struct credentials *credentials_init_empty(void)
{
	string_t *text = str_new(default_pool, 64);
	struct credentials *credentials;
	const char *error;

	str_append(text, EMPTY_TEXT);
	if (credentials_init(&text, &credentials, &error) < 0)
		i_unreached();
	return credentials;
}

const char *
credentials_entry_error(const struct credentials_entry *entry,
			const char *error)
{
	return t_strdup_printf("line %u column %u: user %s: %s",
		entry->file_line, entry->file_column,
		t_strndup(entry->line, entry->name_size), error);
}

json_t *credentials_entry_load(const struct credentials_entry *entry,
			       const char **error_r)
{
	/* behind the colon */
	const size_t start = entry->name_size + 1;
	struct credentials_entry place = *entry;
	unsigned int line, column = 0;
	const char *error;
	json_t *json = NULL;

	if (entry->size > CREDENTIAL_USER_MAX_SIZE) {
		error = t_strdup_printf("%u octets, expected at most %u",
			entry->size, CREDENTIAL_USER_MAX_SIZE);
	} else {
		json = credential_json_load(entry->line + start,
					    entry->size - start, &line,
					    &column, &error);
	}
	if (json == NULL) {
		if (column > 0) {
			place.file_column += column - 1 +
				uni_utf8_strlen_n(entry->line, start);
		}
		*error_r = credentials_entry_error(&place, error);
	}
	return json;
}

int credentials_find(const struct credentials *credentials, const char *name,
		     pool_t pool, struct credential_user *user_r,
		     const char **error_r)
{
	const struct credentials_entry *entry;
	const char *error;
	json_t *json;
	int ret;

	entry = credentials_lookup(credentials, name);
	if (entry == NULL)
		return 0;
	json = credentials_entry_load(entry, error_r);
	if (json == NULL)
		return -1;
	ret = credential_user_parse(json, name, pool, user_r, &error);
	json_decref(json);
	if (ret == 0)
		return 1;
	*error_r = credentials_entry_error(entry, error);
	return -1;
}
