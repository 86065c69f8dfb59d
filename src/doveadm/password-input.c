/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "write-full.h"
#include "password-input.h"

#include <fcntl.h>
#include <sodium.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C '\x03'

/* What ends a line of nobody but those who type. */
#define NO_STOP '\n'

/* Octet by octet: what follows the line is for somebody else. */
static int
read_line(int fd, char stop, char *text, size_t *len_r, const char **error_r)
{
	size_t len = 0;
	ssize_t ret;
	char chr;

	while ((ret = read(fd, &chr, 1)) != 0) {
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			*error_r = t_strdup_printf("read(password) failed: %m");
			return -1;
		}
		if (chr == '\n')
			break;
		/* the CR of a line of full length is not yet known as such */
		if (len == PASSWORD_INPUT_MAX_LEN + 1)
			break;
		text[len++] = chr;
		if (chr == stop)
			break;
	}
	*len_r = len;
	return 0;
}

static int
check_line(const char *text, size_t *len, char stop, const char **error_r)
{
	if (*len > 0 && text[*len - 1] == '\r')
		(*len)--;
	if (*len == 0) {
		*error_r = "there is no password, expected at least one octet";
	} else if (*len > PASSWORD_INPUT_MAX_LEN) {
		*error_r = t_strdup_printf("the password has more than %u "
			"octets", PASSWORD_INPUT_MAX_LEN);
	} else if (memchr(text, '\0', *len) != NULL) {
		*error_r = "the password has a NUL in it";
	} else if (text[*len - 1] == stop) {
		*error_r = "aborted";
	} else {
		return 0;
	}
	return -1;
}

static int
read_password(int fd, char stop, struct password_input *input,
	      const char **error_r)
{
	char text[PASSWORD_INPUT_MAX_LEN + 1];
	size_t len;
	int ret;

	ret = read_line(fd, stop, text, &len, error_r);
	if (ret == 0)
		ret = check_line(text, &len, stop, error_r);
	if (ret == 0) {
		memcpy(input->text, text, len);
		input->text[len] = '\0';
	}
	sodium_memzero(text, sizeof(text));
	return ret;
}

/* A signal would leave the terminal without echo: ^C ends the line. */
static int
ask(int fd, const char *prompt, struct password_input *input,
    const char **error_r)
{
	struct termios old, quiet;
	int ret;

	if (tcgetattr(fd, &old) < 0) {
		*error_r = t_strdup_printf("tcgetattr(/dev/tty) failed: %m");
		return -1;
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	quiet.c_cc[VEOL] = CTRL_C;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0) {
		*error_r = t_strdup_printf("tcsetattr(/dev/tty) failed: %m");
		return -1;
	}
	if (write_full(fd, prompt, strlen(prompt)) < 0) {
		*error_r = t_strdup_printf("write(/dev/tty) failed: %m");
		ret = -1;
	} else {
		ret = read_password(fd, CTRL_C, input, error_r);
		(void)write_full(fd, "\n", 1);
	}
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	return ret;
}

static int
ask_again(int fd, const char *prompt, const struct password_input *input,
	  const char **error_r)
{
	struct password_input again;
	int ret;

	if (ask(fd, prompt, &again, error_r) < 0)
		return -1;
	ret = strcmp(again.text, input->text) == 0 ? 0 : -1;
	password_input_wipe(&again);
	if (ret < 0)
		*error_r = "the two passwords differ";
	return ret;
}

int password_input_read(struct password_input *input_r, const char *prompt,
			const char *prompt_again, const char **error_r)
{
	int fd, ret;

	if (isatty(STDIN_FILENO) == 0)
		return read_password(STDIN_FILENO, NO_STOP, input_r, error_r);
	fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(/dev/tty) failed: %m");
		return -1;
	}
	ret = ask(fd, prompt, input_r, error_r);
	if (ret == 0 && prompt_again != NULL &&
	    ask_again(fd, prompt_again, input_r, error_r) < 0) {
		password_input_wipe(input_r);
		ret = -1;
	}
	i_close_fd(&fd);
	return ret;
}

void password_input_wipe(struct password_input *input)
{
	sodium_memzero(input, sizeof(*input));
}
