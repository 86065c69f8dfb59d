/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "credential-check.h"
#include "credential-json.h"
#include "credentials-private.h"

#include <jansson.h>
#include <limits.h>

/* The users are found without jansson, which takes many times as long and as
   much memory. What is valid JSON and passes here means to jansson what it
   means here: names are strings of one form only, and the braces of each user
   are in one line. What is no valid JSON within the braces is found when
   somebody asks for that user. */

enum char_class {
	CHAR_PLAIN,
	CHAR_QUOTE,
	CHAR_BACKSLASH,
	CHAR_OPEN,
	CHAR_CLOSE,
	/* also the line end */
	CHAR_CONTROL
};

static const unsigned char char_classes[UCHAR_MAX + 1] = {
	[0 ... 0x1f] = CHAR_CONTROL,
	['"'] = CHAR_QUOTE,
	['\\'] = CHAR_BACKSLASH,
	['{'] = CHAR_OPEN,
	['}'] = CHAR_CLOSE,
};

static inline enum char_class char_class(char chr)
{
	return char_classes[(unsigned char)chr];
}

/* From behind the quote that starts a string to behind the one that ends it;
   NULL if there is none in the line. There is a NUL behind the text, which is a
   control character, too. */
static const char *skip_string(const char *p)
{
	for (;; p++) {
		switch (char_class(*p)) {
		case CHAR_QUOTE:
			return p + 1;
		case CHAR_CONTROL:
			return NULL;
		case CHAR_BACKSLASH:
			if (char_class(*++p) == CHAR_CONTROL)
				return NULL;
			break;
		default:
			break;
		}
	}
}

/* From behind the brace that opens an object to behind the one that closes it.
   */
static const char *skip_object(const char *p)
{
	unsigned int depth = 1;

	while (depth > 0) {
		switch (char_class(*p++)) {
		case CHAR_QUOTE:
			p = skip_string(p);
			if (p == NULL)
				return NULL;
			break;
		case CHAR_OPEN:
			depth++;
			break;
		case CHAR_CLOSE:
			depth--;
			break;
		case CHAR_CONTROL:
			return NULL;
		default:
			break;
		}
	}
	return p;
}

/* The name between quotes, in the data stack; NULL if it is written in another
   way than ours. */
static const char *unquote(const char *line, size_t size)
{
	const char *p = line + 1, *end = line + size - 1;
	string_t *name = t_str_new(size);

	for (; p < end; p++) {
		if (*p == '\\' && *++p != '"' && *p != '\\')
			return NULL;
		str_append_c(name, *p);
	}
	return str_c(name);
}

static bool name_is_ours(const char *line, size_t size)
{
	const char *name, *error;
	bool ours;

	/* each character may have a backslash */
	if (size > CREDENTIAL_USER_NAME_MAX_LEN * 2 + 2)
		return FALSE;
	T_BEGIN {
		name = unquote(line, size);
		ours = name != NULL &&
			credential_user_name_is_valid(name, &error);
	} T_END;
	return ours;
}

static bool
index_line(struct credentials *credentials, const char **_p)
{
	const char *line = *_p, *p;
	struct credentials_entry *entry;
	size_t name_size;

	if (*line != '"')
		return FALSE;
	p = skip_string(line + 1);
	if (p == NULL || !name_is_ours(line, p - line))
		return FALSE;
	name_size = p - line;
	if (p[0] != ':' || p[1] != '{')
		return FALSE;
	p = skip_object(p + 2);
	if (p == NULL)
		return FALSE;

	entry = array_append_space(&credentials->entries);
	entry->line = line;
	entry->name_size = (uint32_t)name_size;
	entry->size = (uint32_t)(p - line);
	*_p = p;
	return TRUE;
}

/* Each but the last one has a comma behind it. Returns what comes then, or
   NULL. */
static const char *index_lines(struct credentials *credentials, const char *p)
{
	bool more = *p != '}';

	while (more) {
		if (!index_line(credentials, &p))
			return NULL;
		more = *p == ',';
		if (more)
			p++;
		if (*p++ != '\n')
			return NULL;
	}
	return p;
}

static bool header_is_ours(const char *header, size_t size)
{
	const size_t end_size = strlen(CREDENTIALS_HEADER_END);
	unsigned int line, column;
	const char *error;
	json_t *root;
	bool ours;

	if (size < end_size || memcmp(header + size - end_size,
				      CREDENTIALS_HEADER_END, end_size) != 0)
		return FALSE;
	T_BEGIN {
		const char *text = t_strconcat(t_strndup(header, size), "}}",
					       NULL);

		root = credential_json_load(text, size + 2, &line, &column,
					    &error);
		ours = root != NULL &&
			credentials_check_root(root, &error) == 0;
		json_decref(root);
	} T_END;
	return ours;
}

/* None begins with another one: the quote ends it. */
static int
entry_cmp(const struct credentials_entry *e1,
	  const struct credentials_entry *e2)
{
	return memcmp(e1->line, e2->line, I_MIN(e1->name_size, e2->name_size));
}

static void
set_places(struct credentials *credentials,
	   const ARRAY_TYPE(credentials_place) *places)
{
	struct credentials_entry *entry;
	const struct credentials_place *place;
	unsigned int i = 0;

	array_foreach_modifiable(&credentials->entries, entry) {
		if (places == NULL) {
			/* the first line is the header's */
			entry->file_line = i + 2;
			entry->file_column = 1;
		} else {
			place = array_idx(places, i);
			entry->file_line = place->line;
			entry->file_column = place->column;
		}
		i++;
	}
}

/* Names are sorted, and none is there twice. */
static bool sort_entries(struct credentials *credentials)
{
	const struct credentials_entry *entries;
	unsigned int i, count;

	array_sort(&credentials->entries, entry_cmp);
	entries = array_get(&credentials->entries, &count);
	for (i = 1; i < count; i++) {
		if (entry_cmp(&entries[i - 1], &entries[i]) == 0)
			return FALSE;
	}
	return TRUE;
}

bool credentials_index(struct credentials *credentials,
		       const ARRAY_TYPE(credentials_place) *places)
{
	const char *text = str_c(credentials->text), *p;
	const char *end = text + str_len(credentials->text);
	const size_t end_size = strlen(CREDENTIALS_END);

	p = strchr(text, '\n');
	if (p == NULL || !header_is_ours(text, p - text))
		return FALSE;
	credentials->header_size = ++p - text;
	p = index_lines(credentials, p);
	if (p == NULL || (size_t)(end - p) != end_size ||
	    memcmp(p, CREDENTIALS_END, end_size) != 0)
		return FALSE;
	set_places(credentials, places);
	return sort_entries(credentials);
}

const char *credentials_quote(const char *text)
{
	json_t *json = json_string(text);
	const char *quoted;
	char *dump;

	if (json == NULL)
		return NULL;
	dump = json_dumps(json, JSON_ENCODE_ANY);
	quoted = t_strdup(dump);
	free(dump);
	json_decref(json);
	return quoted;
}

static const struct credentials_entry *
find_entry(const struct credentials *credentials,
	   const struct credentials_entry *key)
{
	const struct credentials_entry *entries;
	unsigned int left = 0, right, middle;
	int ret;

	entries = array_get(&credentials->entries, &right);
	while (left < right) {
		middle = left + (right - left) / 2;
		ret = entry_cmp(key, &entries[middle]);
		if (ret == 0)
			return &entries[middle];
		if (ret < 0)
			right = middle;
		else
			left = middle + 1;
	}
	return NULL;
}

const struct credentials_entry *
credentials_lookup(const struct credentials *credentials, const char *name)
{
	const struct credentials_entry *entry = NULL;

	T_BEGIN {
		struct credentials_entry key = {
			.line = credentials_quote(name),
		};

		if (key.line != NULL) {
			key.name_size = strlen(key.line);
			entry = find_entry(credentials, &key);
		}
	} T_END;
	return entry;
}

unsigned int credentials_count(const struct credentials *credentials)
{
	return array_count(&credentials->entries);
}

const char *
credentials_get_name(const struct credentials *credentials, unsigned int idx)
{
	const struct credentials_entry *entry =
		array_idx(&credentials->entries, idx);

	return unquote(entry->line, entry->name_size);
}
