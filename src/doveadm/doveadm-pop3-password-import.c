/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "compat-password.h"
#include "doveadm-print.h"
#include "credential-cmd.h"
#include "password-hash.h"
#include "password-import.h"
#include "doveadm-auth-json-plugin.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

static const char *const result_names[PASSWORD_IMPORT_RESULT_COUNT] = {
	"kept", "new", "replaced", "conflict", "invalid"
};

/* Lines that change nothing are not told. */
static void print_results(const struct password_import *import)
{
	const struct passwd_file_line *line;
	const char *name;

	array_foreach(&import->lines, line) T_BEGIN {
		name = line->entry.user.name;
		if (line->result != PASSWORD_IMPORT_KEPT) {
			doveadm_print_num(line->number);
			doveadm_print(name == NULL ? "-" : name);
			doveadm_print(result_names[line->result]);
			doveadm_print(line->reason == NULL ? "-" :
				      line->reason);
		}
	} T_END;
}

static void log_import(const struct password_import *import, bool dry_run)
{
	const unsigned int *counts = import->counts;

	e_info(import->cmd->event, "users %s: %u kept, %u new, %u replaced",
	       dry_run ? "looked at" : "imported",
	       counts[PASSWORD_IMPORT_KEPT], counts[PASSWORD_IMPORT_NEW],
	       counts[PASSWORD_IMPORT_REPLACED]);
}

static int
import_lines(struct password_import *import, bool dry_run, const char **error_r)
{
	const struct passwd_file_line *bad;

	if (password_import_check(import, error_r) < 0)
		return -1;
	bad = password_import_count(import);
	if (bad != NULL) {
		print_results(import);
		import->cmd->exit_code = EX_DATAERR;
		*error_r = t_strdup_printf("line %u: %s (%u conflicts, %u "
			"invalid lines: nothing was written)", bad->number,
			bad->reason, import->counts[PASSWORD_IMPORT_CONFLICT],
			import->counts[PASSWORD_IMPORT_INVALID]);
		return -1;
	}
	if (!dry_run && password_import_write(import, error_r) < 0)
		return -1;
	(void)password_import_count(import);
	print_results(import);
	log_import(import, dry_run);
	return 0;
}

/* "-" is the standard input. */
static int open_input(const char *path, const char **error_r)
{
	int fd;

	fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
		open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
	return fd;
}

static int
read_input(struct password_import *import, const char *path,
	   const char **error_r)
{
	const char *error;
	int fd, ret;

	fd = open_input(path, error_r);
	if (fd == -1)
		return -1;
	ret = passwd_file_list_read(fd, &import->cmd->config, import->pool,
				    &import->lines, &error);
	i_close_fd(&fd);
	if (ret < 0)
		*error_r = t_strdup_printf("%s %s", path, error);
	return ret;
}

static int
import_file(struct password_import *import, const char *path, bool dry_run,
	    const char **error_r)
{
	int ret;

	if (read_input(import, path, error_r) < 0) {
		import->cmd->exit_code = EX_NOINPUT;
		return -1;
	}
	if (compat_password_schemes_begin(error_r) < 0)
		return -1;
	ret = credential_cmd_hasher(import->cmd, &import->hasher, error_r);
	if (ret == 0) {
		ret = import_lines(import, dry_run, error_r);
		password_hasher_deinit(&import->hasher);
	}
	compat_password_schemes_end();
	return ret;
}

static int password_import(struct credential_cmd *cmd, const char **error_r)
{
	struct password_import import = { .cmd = cmd };
	bool dry_run = FALSE;
	const char *path;
	int ret;

	(void)doveadm_cmd_param_bool(cmd->cctx, "dry-run", &dry_run);
	(void)doveadm_cmd_param_bool(cmd->cctx, "replace", &import.replace);
	if (!doveadm_cmd_param_str(cmd->cctx, "file", &path)) {
		cmd->exit_code = EX_USAGE;
		*error_r = "from which passwd-file? Say - for the standard "
			"input";
		return -1;
	}
	import.pool = pool_alloconly_create_clean("pop3_policy passwords",
						  64 * 1024);
	ret = import_file(&import, path, dry_run, error_r);
	pool_unref(&import.pool);
	return ret;
}

static void cmd_password_import(struct doveadm_cmd_context *cctx)
{
	doveadm_print_init(DOVEADM_PRINT_TYPE_TABLE);
	doveadm_print_header("line", "Line",
			     DOVEADM_PRINT_HEADER_FLAG_RIGHT_JUSTIFY);
	doveadm_print_header("user", "User", DOVEADM_PRINT_HEADER_FLAG_EXPAND);
	doveadm_print_header("result", "Result", 0);
	doveadm_print_header("reason", "Reason", 0);
	credential_cmd_run(cctx, password_import);
}

struct doveadm_cmd_ver2 doveadm_cmd_pop3_password_import = {
	.name = "pop3 password import",
	.usage = "[-n] [--replace] <file>|-",
	.cmd = cmd_password_import,
DOVEADM_CMD_PARAMS_START
DOVEADM_CMD_PARAM('n', "dry-run", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('r', "replace", CMD_PARAM_BOOL, 0)
DOVEADM_CMD_PARAM('\0', "file", CMD_PARAM_STR, CMD_PARAM_FLAG_POSITIONAL)
DOVEADM_CMD_PARAMS_END
};
