#ifndef POP3_POLICY_CREDENTIALS_PRIVATE_H
#define POP3_POLICY_CREDENTIALS_PRIVATE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credentials.h"

#define CREDENTIALS_VERSION 1

#define CREDENTIALS_MEMBER_VERSION "version"
#define CREDENTIALS_MEMBER_USERS "users"

/* Around the users: the first line ends with the first of these, the file is
   over with the second. */
#define CREDENTIALS_HEADER_END ",\""CREDENTIALS_MEMBER_USERS"\":{"
#define CREDENTIALS_END "}}\n"

struct json_t;

/* A line of the text: "NAME":{...} */
struct credentials_entry {
	const char *line;
	/* up to the quote that ends it; the names are sorted so */
	uint32_t name_size;
	/* without the comma and the line end */
	uint32_t size;
	/* of the line in the file, both from 1 */
	uint32_t file_line, file_column;
};
ARRAY_DEFINE_TYPE(credentials_entry, struct credentials_entry);

struct credentials {
	/* in the form of the printer */
	string_t *text;
	size_t header_size;
	/* sorted */
	ARRAY_TYPE(credentials_entry) entries;
};

/* Where a user stands in a file. */
struct credentials_place {
	uint32_t line, column;
};
ARRAY_DEFINE_TYPE(credentials_place, struct credentials_place);

/* Find the users in the text. The places are those of the users in their order;
   NULL if the text is that of the file. Returns FALSE if the text differs from
   the printer's form, or has a name twice. */
bool credentials_index(struct credentials *credentials,
		       const ARRAY_TYPE(credentials_place) *places);
/* NULL if there is no such user. */
const struct credentials_entry *
credentials_lookup(const struct credentials *credentials, const char *name);

/* Parse the whole text and print it in the form that is indexed. Returns 0, or
   -1 and an error. */
int credentials_convert(const string_t *text, string_t *dest,
			ARRAY_TYPE(credentials_place) *places,
			const char **error_r);
/* Check everything but the users. */
int credentials_check_root(struct json_t *root, const char **error_r);

/* The object of a user. Returns NULL and an error if it is not valid JSON. */
struct json_t *
credentials_entry_load(const struct credentials_entry *entry,
		       const char **error_r);
/* An error that says where in the file the user is. */
const char *
credentials_entry_error(const struct credentials_entry *entry,
			const char *error);
/* JSON of a string, in the data stack; NULL if it is not UTF-8. */
const char *credentials_quote(const char *text);

/* Free a text after it was wiped. */
void credentials_text_free(string_t **text);

#endif
