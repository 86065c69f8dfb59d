/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "var-expand.h"
#include "compat-user-vars.h"

#if DOVECOT_PREREQ(2, 4, 0)
int compat_user_vars_check(const char *text, bool *has_vars_r,
			   const char **error_r)
{
	struct var_expand_program *program;
	const char *const *vars;
	bool has_vars;
	int ret = 0;

	if (var_expand_program_create(text, &program, error_r) < 0)
		return -1;
	vars = var_expand_program_variables(program);
	has_vars = *vars != NULL;
	for (; ret == 0 && *vars != NULL; vars++) {
		if (strcmp(*vars, "user") != 0) {
			*error_r = t_strdup_printf("unknown variable "
				"\"%%{%s}\", expected %%{user}, "
				"%%{user | username} or %%{user | domain}",
				*vars);
			ret = -1;
		}
	}
	var_expand_program_free(&program);
	if (ret == 0)
		*has_vars_r = has_vars;
	return ret;
}

struct escape_context {
	compat_user_vars_escape_t *escape;
};

static int
escape_value(const char *value, const char **value_r, void *context,
	     const char **error_r ATTR_UNUSED)
{
	const struct escape_context *ctx = context;

	*value_r = ctx->escape(value);
	return 0;
}

static int
expand(string_t *dest, const char *text, const char *username,
       compat_user_vars_escape_t *escape, const char **error_r)
{
	const struct var_expand_table table[] = {
		{ .key = "user", .value = username },
		VAR_EXPAND_TABLE_END
	};
	struct escape_context ctx = { .escape = escape };
	const struct var_expand_params params = {
		.table = table,
		.escape_func = escape_value,
		.escape_context = &ctx,
	};

	return var_expand(dest, text, &params, error_r);
}
#else
static const char *const user_vars[] = {
	"u", "n", "d", "user", "username", "domain", NULL
};

int compat_user_vars_check(const char *text, bool *has_vars_r,
			   const char **error_r)
{
	bool has_vars = FALSE, is_open;
	unsigned int idx, size;
	const char *name;

	while ((text = strchr(text, '%')) != NULL) {
		text++;
		if (*text == '%') {
			/* stands for itself */
			text++;
			continue;
		}
		var_get_key_range(text, &idx, &size);
		name = t_strndup(text + idx, size);
		is_open = idx > 0 && text[idx - 1] == '{' &&
			text[idx + size] != '}';
		if (is_open || !str_array_find(user_vars, name)) {
			*error_r = t_strdup_printf("unknown variable \"%s\", "
				"expected %%u, %%n or %%d", name);
			return -1;
		}
		has_vars = TRUE;
		text += idx + size;
	}
	*has_vars_r = has_vars;
	return 0;
}

static int
expand(string_t *dest, const char *text, const char *username,
       compat_user_vars_escape_t *escape, const char **error_r)
{
	const char *at = strchr(username, '@');
	const struct var_expand_table table[] = {
		{ 'u', escape(username), "user" },
		{ 'n', escape(t_strcut(username, '@')), "username" },
		{ 'd', escape(at == NULL ? "" : at + 1), "domain" },
		{ '\0', NULL, NULL }
	};

	return var_expand(dest, text, table, error_r) > 0 ? 0 : -1;
}
#endif

static const char *escape_none(const char *value)
{
	return value;
}

int compat_user_vars_expand(const char *text, const char *username,
			    compat_user_vars_escape_t *escape,
			    const char **result_r, const char **error_r)
{
	string_t *dest = t_str_new(128);

	if (escape == NULL)
		escape = escape_none;
	if (expand(dest, text, username, escape, error_r) < 0)
		return -1;
	*result_r = str_c(dest);
	return 0;
}
