/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "base64.h"
#include "hash-method.h"
#include "sha2.h"
#include "uidl.h"

#include <ctype.h>

/* Half of a SHA-256 is enough: 22 characters of base64. */
#define GUID_HASH_SIZE 16

/* The length of the part that has only octets from 0x21 to 0x7E. */
static size_t visible_len(const char *str)
{
	size_t len = 0;

	while (str[len] >= 0x21 && str[len] <= 0x7e)
		len++;
	return len;
}

bool pop3_uidl_is_valid(const char *uidl, const char **error_r)
{
	size_t len = strlen(uidl);
	size_t visible = visible_len(uidl);

	if (len == 0 || len > POP3_UIDL_MAX_LEN) {
		*error_r = t_strdup_printf("UIDL of %zu octets, "
			"expected 1 to %u", len, POP3_UIDL_MAX_LEN);
		return FALSE;
	}
	if (visible < len) {
		*error_r = t_strdup_printf("octet 0x%02x at position %zu of "
			"the UIDL, expected 0x21 to 0x7e",
			(unsigned char)uidl[visible], visible + 1);
		return FALSE;
	}
	if (strcmp(uidl, ".") == 0) {
		*error_r = "UIDL is a single dot, which would end the listing, "
			"expected anything else";
		return FALSE;
	}
	return TRUE;
}

/* The length that is left without one field ",X=digits" at the end. */
static size_t guid_field_strip(const char *guid, size_t len)
{
	size_t pos = len;

	while (pos > 0 && i_isdigit(guid[pos - 1]))
		pos--;
	if (pos == len || pos < 3 || guid[pos - 1] != '=' ||
	    guid[pos - 2] < 'A' || guid[pos - 2] > 'Z' || guid[pos - 3] != ',')
		return len;
	return pos - 3;
}

const char *pop3_guid_normalize(const char *guid)
{
	unsigned char digest[SHA256_RESULTLEN];
	struct sha256_ctx sha256;
	size_t full_len = strlen(guid), len = full_len, stripped;
	buffer_t *hash;

	while ((stripped = guid_field_strip(guid, len)) < len)
		len = stripped;
	if (len <= POP3_GUID_MAX_LEN && visible_len(guid) >= len)
		return len == full_len ? guid : t_strndup(guid, len);

	hash_method_sha256.init(&sha256);
	hash_method_sha256.loop(&sha256, guid, len);
	hash_method_sha256.result(&sha256, digest);
	hash = t_base64_encode(BASE64_ENCODE_FLAG_NO_PADDING, SIZE_MAX,
			       digest, GUID_HASH_SIZE);
	return t_strdup_printf("#%s", str_c(hash));
}
