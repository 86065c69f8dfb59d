/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "app-password.h"

#include <ctype.h>
#include <sodium.h>

static const char letters[] = APP_PASSWORD_ID_ALPHABET;

#define LETTER_COUNT (sizeof(letters) - 1)
#define CODE_LEN (APP_PASSWORD_ID_LEN + APP_PASSWORD_SECRET_LEN)

static void make_up(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		text[i] = letters[randombytes_uniform(LETTER_COUNT)];
	text[len] = '\0';
}

void app_password_generate(struct app_password_code *code_r)
{
	if (sodium_init() < 0)
		i_fatal("libsodium cannot be initialized");
	make_up(code_r->id, APP_PASSWORD_ID_LEN);
	make_up(code_r->secret, APP_PASSWORD_SECRET_LEN);
}

void app_password_print(const struct app_password_code *code,
			char text_r[STATIC_ARRAY APP_PASSWORD_TEXT_SIZE])
{
	char *p = text_r;
	unsigned int i;

	memcpy(p, code->id, APP_PASSWORD_ID_LEN);
	p += APP_PASSWORD_ID_LEN;
	for (i = 0; i < APP_PASSWORD_SECRET_LEN; i++) {
		if (i % APP_PASSWORD_GROUP_LEN == 0)
			*p++ = '-';
		*p++ = code->secret[i];
	}
	*p = '\0';
}

/* The code without what stands between its letters. */
static bool
normalize(const char *typed, char text_r[STATIC_ARRAY CODE_LEN])
{
	unsigned int len = 0;

	for (; *typed != '\0'; typed++) {
		char chr = i_tolower(*typed);

		if (chr == ' ' || chr == '-')
			continue;
		if (len == CODE_LEN || strchr(letters, chr) == NULL)
			return FALSE;
		text_r[len++] = chr;
	}
	return len == CODE_LEN;
}

bool app_password_parse(const char *typed, struct app_password_code *code_r)
{
	char text[CODE_LEN];
	bool valid = normalize(typed, text);

	if (valid) {
		memcpy(code_r->id, text, APP_PASSWORD_ID_LEN);
		code_r->id[APP_PASSWORD_ID_LEN] = '\0';
		memcpy(code_r->secret, text + APP_PASSWORD_ID_LEN,
		       APP_PASSWORD_SECRET_LEN);
		code_r->secret[APP_PASSWORD_SECRET_LEN] = '\0';
	}
	sodium_memzero(text, sizeof(text));
	return valid;
}

void app_password_wipe(struct app_password_code *code)
{
	sodium_memzero(code, sizeof(*code));
}

void app_password_wipe_text(char text[STATIC_ARRAY APP_PASSWORD_TEXT_SIZE])
{
	sodium_memzero(text, APP_PASSWORD_TEXT_SIZE);
}
