/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "unichar.h"
#include "credential.h"
#include "credential-check.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool has_control_char(const char *text)
{
	unichar_t chr;
	int len;

	for (; *text != '\0'; text += len) {
		len = uni_utf8_get_char(text, &chr);
		if (len <= 0 || chr < 0x20 || (chr >= 0x7f && chr < 0xa0))
			return TRUE;
	}
	return FALSE;
}

bool credential_text_is_valid(const char *text, size_t max_len,
			      const char **error_r)
{
	size_t len = strlen(text);
	const char *fault;

	if (len > max_len) {
		*error_r = t_strdup_printf("has %zu octets, expected at most "
					   "%zu", len, max_len);
		return FALSE;
	}
	if (!uni_utf8_str_is_valid(text))
		fault = "is not UTF-8";
	else if (has_control_char(text))
		fault = "has a control character";
	else
		return TRUE;
	*error_r = t_strdup_printf("%s, expected UTF-8 without control "
				   "characters", fault);
	return FALSE;
}

bool credential_user_name_is_valid(const char *name, const char **error_r)
{
	if (*name != '\0') {
		return credential_text_is_valid(name,
			CREDENTIAL_USER_NAME_MAX_LEN, error_r);
	}
	*error_r = t_strdup_printf("is empty, expected 1 to %u octets",
				   CREDENTIAL_USER_NAME_MAX_LEN);
	return FALSE;
}

/* The octet is not told: it may be of a password. */
static bool is_printable(const char *hash, const char **error_r)
{
	const char *p;

	for (p = hash; *p != '\0'; p++) {
		if (*p < 0x21 || *p > 0x7e) {
			*error_r = t_strdup_printf("has a space, a control "
				"character or one that is not ASCII at "
				"position %u, expected a hash",
				(unsigned int)(p - hash) + 1);
			return FALSE;
		}
	}
	return TRUE;
}

/* Of PLAIN-MD4 and PLAIN-MD5 lists can be bought. */
static bool scheme_is_plain(const char *scheme)
{
	return strncasecmp(scheme, "PLAIN", 5) == 0 ||
		strcasecmp(scheme, "CLEAR") == 0 ||
		strcasecmp(scheme, "CLEARTEXT") == 0;
}

/* {SCHEME} or {SCHEME.ENCODING}, and something behind it. */
static bool has_scheme(const char *hash, const char **scheme_r)
{
	size_t len = strspn(hash + 1, UPPER LOWER DIGITS "-_.");

	if (len == 0 || hash[1 + len] != '}' || hash[2 + len] == '\0')
		return FALSE;
	*scheme_r = t_strcut(t_strndup(hash + 1, len), '.');
	return **scheme_r != '\0';
}

/* $NAME$, and something behind it. */
static bool has_crypt_name(const char *hash)
{
	size_t len = strspn(hash + 1, LOWER DIGITS "-");

	return len > 0 && hash[1 + len] == '$' && hash[2 + len] != '\0';
}

bool credential_hash_is_valid(const char *hash, const char **error_r)
{
	size_t len = strlen(hash);
	const char *scheme;

	if (len > CREDENTIAL_HASH_MAX_LEN) {
		*error_r = t_strdup_printf("has %zu octets, expected a hash of "
			"at most %u", len, CREDENTIAL_HASH_MAX_LEN);
		return FALSE;
	}
	if (!is_printable(hash, error_r))
		return FALSE;
	if (*hash == '$' && has_crypt_name(hash))
		return TRUE;
	if (*hash != '{' || !has_scheme(hash, &scheme)) {
		*error_r = "is not a hash, expected \"$argon2id$...\" or "
			"another one that starts with \"$NAME$\" or "
			"\"{SCHEME}\"";
		return FALSE;
	}
	if (scheme_is_plain(scheme)) {
		*error_r = t_strdup_printf("has the scheme %s, expected a hash "
			"that the password cannot be read from", scheme);
		return FALSE;
	}
	return TRUE;
}

bool app_password_id_is_valid(const char *id, const char **error_r)
{
	if (strlen(id) == APP_PASSWORD_ID_LEN &&
	    strspn(id, APP_PASSWORD_ID_ALPHABET) == APP_PASSWORD_ID_LEN)
		return TRUE;
	*error_r = t_strdup_printf("is not an id, expected %u characters of \""
		APP_PASSWORD_ID_ALPHABET"\"", APP_PASSWORD_ID_LEN);
	return FALSE;
}

static bool is_word(const char *name, const char *chars, size_t max_len)
{
	size_t len = strlen(name);

	return len > 0 && len <= max_len && strspn(name, chars) == len;
}

bool credential_protocol_is_valid(const char *name, const char **error_r)
{
	if (is_word(name, LOWER DIGITS "-_", CREDENTIAL_PROTOCOL_MAX_LEN))
		return TRUE;
	*error_r = t_strdup_printf("is not a protocol, expected 1 to %u "
		"lower-case letters, digits, \"-\" and \"_\"",
		CREDENTIAL_PROTOCOL_MAX_LEN);
	return FALSE;
}

bool credential_field_name_is_valid(const char *name, const char **error_r)
{
	if (is_word(name, LOWER UPPER DIGITS "-_./:+@",
		    CREDENTIAL_FIELD_NAME_MAX_LEN))
		return TRUE;
	*error_r = t_strdup_printf("is not the name of a field, expected 1 to "
		"%u letters, digits and \"-_./:+@\"",
		CREDENTIAL_FIELD_NAME_MAX_LEN);
	return FALSE;
}

bool app_password_setting_name_is_valid(const char *name,
					const char **error_r)
{
	const size_t prefix_len = strlen(APP_PASSWORD_SETTING_PREFIX);

	if (strncmp(name, APP_PASSWORD_SETTING_PREFIX, prefix_len) == 0 &&
	    is_word(name + prefix_len, LOWER DIGITS "_",
		    CREDENTIAL_FIELD_NAME_MAX_LEN - prefix_len))
		return TRUE;
	*error_r = t_strdup_printf("is not a setting of an app password, "
		"expected "APP_PASSWORD_SETTING_PREFIX"NAME of at most %u "
		"octets", CREDENTIAL_FIELD_NAME_MAX_LEN);
	return FALSE;
}

/* net_addr2ip() takes "10.1" and "0x7f000001" on some systems, and names of
   interfaces. */
static bool is_plain_address(const char *text, const struct ip_addr *ip)
{
	const char *address = t_strcut(text, '/');
	struct ip_addr ip4;

	if (IPADDR_IS_V4(ip))
		return strcmp(address, net_ip2addr(ip)) == 0;
	/* Dovecot takes a client of such an address for one of IPv4 */
	return strspn(address, DIGITS "abcdefABCDEF:.") == strlen(address) &&
		net_ipv6_mapped_ipv4_convert(ip, &ip4) < 0;
}

int credential_network_parse(const char *text,
			     struct credential_network *network_r,
			     const char **error_r)
{
	struct credential_network network;

	if (!credential_text_is_valid(text, CREDENTIAL_FIELD_VALUE_MAX_LEN,
				      error_r))
		return -1;
	i_zero(&network);
	if (net_parse_range(text, &network.ip, &network.bits) < 0 ||
	    !is_plain_address(text, &network.ip)) {
		*error_r = t_strdup_printf("\"%s\" is not a network, expected "
			"one like 192.0.2.0/24 or 2001:db8::/32", text);
		return -1;
	}
	*network_r = network;
	return 0;
}

const char *
credential_network_print(const struct credential_network *network)
{
	return t_strdup_printf("%s/%u", net_ip2addr(&network->ip),
			       network->bits);
}
