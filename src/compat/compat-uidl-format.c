/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "mail-user.h"
#include "mail-storage-settings.h"
#include "var-expand.h"
#include "compat-uidl-format.h"

#if DOVECOT_PREREQ(2, 4, 0)

#include "settings.h"

static const char *const key_names[COMPAT_UIDL_KEY_COUNT] = {
	"uidvalidity", "uid", "md5", "filename", "guid"
};

const char *compat_mail_user_uidl_format(struct mail_user *user)
{
	const struct mail_storage_settings *set;
	const char *format, *error;

	if (settings_get(user->event, &mail_storage_setting_parser_info, 0,
			 &set, &error) < 0) {
		e_error(user->event, "%s", error);
		return "";
	}
	format = t_strdup(set->pop3_uidl_format);
	settings_free(set);
	return format;
}

int compat_uidl_format_keys(const char *format,
			    bool used_r[COMPAT_UIDL_KEY_COUNT],
			    const char **error_r)
{
	struct var_expand_program *program;
	const char *const *names;
	unsigned int i;

	if (var_expand_program_create(format, &program, error_r) < 0)
		return -1;
	names = var_expand_program_variables(program);
	for (i = 0; i < COMPAT_UIDL_KEY_COUNT; i++)
		used_r[i] = str_array_find(names, key_names[i]);
	var_expand_program_free(&program);
	return 0;
}

int compat_uidl_format_expand(string_t *dest, const char *format,
			      const char *const values[COMPAT_UIDL_KEY_COUNT],
			      const char **error_r)
{
	struct var_expand_table table[COMPAT_UIDL_KEY_COUNT + 1];
	const struct var_expand_params params = { .table = table };
	unsigned int i;

	i_zero(&table);
	for (i = 0; i < COMPAT_UIDL_KEY_COUNT; i++) {
		table[i].key = key_names[i];
		table[i].value = values[i];
	}
	return var_expand(dest, format, &params, error_r);
}

#else

static const char key_letters[COMPAT_UIDL_KEY_COUNT] = {
	'v', 'u', 'm', 'f', 'g'
};
static const char *const key_names[COMPAT_UIDL_KEY_COUNT] = {
	"uidvalidity", "uid", "md5", "filename", "guid"
};

const char *compat_mail_user_uidl_format(struct mail_user *user)
{
	return mail_user_set_get_storage_set(user)->pop3_uidl_format;
}

int compat_uidl_format_keys(const char *format,
			    bool used_r[COMPAT_UIDL_KEY_COUNT],
			    const char **error_r)
{
	unsigned int i;
	bool any = FALSE;

	for (i = 0; i < COMPAT_UIDL_KEY_COUNT; i++) {
		used_r[i] = var_has_key(format, key_letters[i], key_names[i]);
		any = any || used_r[i];
	}
	if (!any) {
		*error_r = "it has no variable";
		return -1;
	}
	return 0;
}

int compat_uidl_format_expand(string_t *dest, const char *format,
			      const char *const values[COMPAT_UIDL_KEY_COUNT],
			      const char **error_r)
{
	struct var_expand_table table[COMPAT_UIDL_KEY_COUNT + 1];
	unsigned int i;

	i_zero(&table);
	for (i = 0; i < COMPAT_UIDL_KEY_COUNT; i++) {
		table[i].key = key_letters[i];
		table[i].value = values[i];
		table[i].long_key = key_names[i];
	}
	return var_expand(dest, format, table, error_r) > 0 ? 0 : -1;
}

#endif
