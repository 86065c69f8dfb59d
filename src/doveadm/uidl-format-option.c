/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "uidl-format-option.h"

void uidl_format_option_init(struct uidl_format_option *option,
			     struct doveadm_mail_cmd_context *ctx)
{
	if (doveadm_cmd_param_str(ctx->cctx, "format", &option->name))
		option->name = p_strdup(ctx->pool, option->name);
}

int uidl_format_option_parse(struct uidl_format_option *option,
			     const char **error_r)
{
	option->jsonl = option->name == NULL ||
		strcmp(option->name, "jsonl") == 0;
	if (!option->jsonl &&
	    pop3_uidl_text_format_parse(option->name, &option->format) < 0) {
		*error_r = t_strdup_printf("unknown format \"%s\", expected "
			"jsonl, msgno, courier or uidlist", option->name);
		return -1;
	}
	return 0;
}
