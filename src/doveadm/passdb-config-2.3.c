/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "master-service.h"
#include "doveconf-path.h"
#include "passdb-config.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Dovecot 2.3 reads what doveadm itself needs and nothing else: doveconf is
   asked for the rest. */

#define DOVECONF_OUTPUT_MAX_SIZE (1024 * 1024)
#define PASSDB_PREFIX "passdb/"
#define USERNAME_FORMAT "auth_username_format"

static void ATTR_NORETURN
exec_doveconf(const char *config_path, int fd_out)
{
	const char *const argv[] = {
		POP3_POLICY_DOVECONF, "-c", config_path, "-S", "passdb",
		USERNAME_FORMAT, NULL
	};

	if (dup2(fd_out, STDOUT_FILENO) == STDOUT_FILENO)
		(void)execv(argv[0], (char *const *)argv);
	_exit(127);
}

/* What is wrong with the configuration doveconf says on stderr. */
static int
wait_doveconf(pid_t pid, const char **error_r)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			*error_r = t_strdup_printf("waitpid() failed: %m");
			return -1;
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	*error_r = WIFEXITED(status) && WEXITSTATUS(status) == 127 ?
		POP3_POLICY_DOVECONF" could not be run" :
		POP3_POLICY_DOVECONF" failed";
	return -1;
}

static int read_all(int fd, string_t *output, const char **error_r)
{
	char buf[4096];
	ssize_t ret;

	while ((ret = read(fd, buf, sizeof(buf))) != 0) {
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			*error_r = t_strdup_printf("read("POP3_POLICY_DOVECONF
						   ") failed: %m");
			return -1;
		}
		if (str_len(output) + ret > DOVECONF_OUTPUT_MAX_SIZE) {
			*error_r = POP3_POLICY_DOVECONF" says too much";
			return -1;
		}
		str_append_data(output, buf, ret);
	}
	return 0;
}

static int run_doveconf(string_t *output, const char **error_r)
{
	const char *path = master_service_get_config_path(master_service);
	const char *wait_error;
	int fd[2], ret;
	pid_t pid;

	if (pipe(fd) < 0) {
		*error_r = t_strdup_printf("pipe() failed: %m");
		return -1;
	}
	pid = fork();
	if (pid == 0)
		exec_doveconf(path, fd[1]);
	i_close_fd(&fd[1]);
	if (pid < 0) {
		*error_r = t_strdup_printf("fork() failed: %m");
		i_close_fd(&fd[0]);
		return -1;
	}
	ret = read_all(fd[0], output, error_r);
	i_close_fd(&fd[0]);
	if (wait_doveconf(pid, &wait_error) < 0 && ret == 0) {
		*error_r = wait_error;
		ret = -1;
	}
	return ret;
}

/* The lines of a passdb stand together, "passdb/NUMBER/NAME=VALUE": return the
   args of the first one of driver json, or NULL. */
static const char *find_args(const char *const *lines)
{
	const char *number = NULL, *name;

	for (; *lines != NULL; lines++) {
		if (!str_begins(*lines, PASSDB_PREFIX))
			continue;
		name = strchr(*lines + strlen(PASSDB_PREFIX), '/');
		if (name == NULL)
			continue;
		name++;
		if (strcmp(name, "driver=json") == 0)
			number = t_strdup_until(*lines, name);
		else if (number != NULL && str_begins(*lines, number) &&
			 str_begins(name, "args="))
			return name + strlen("args=");
	}
	return NULL;
}

static const char *find_username_format(const char *const *lines)
{
	for (; *lines != NULL; lines++) {
		if (str_begins(*lines, USERNAME_FORMAT"="))
			return *lines + strlen(USERNAME_FORMAT"=");
	}
	return NULL;
}

int passdb_config_load(pool_t pool, struct passdb_config *config_r,
		       const char **error_r)
{
	string_t *output = t_str_new(4096);
	const char *const *lines, *args, *format, *error;

	if (run_doveconf(output, error_r) < 0)
		return -1;
	lines = t_strsplit(str_c(output), "\n");
	args = find_args(lines);
	if (args == NULL) {
		*error_r = "there is no passdb { driver = json } outside of "
			"other blocks in the configuration";
		return -1;
	}
	format = find_username_format(lines);
	if (format == NULL) {
		*error_r = POP3_POLICY_DOVECONF" does not say "USERNAME_FORMAT;
		return -1;
	}
	if (passdb_json_settings_parse_args(args, pool, &config_r->set,
					    &error) < 0) {
		*error_r = t_strdup_printf("passdb json: %s", error);
		return -1;
	}
	config_r->username_format = p_strdup(pool, format);
	return 0;
}
