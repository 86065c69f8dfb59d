/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "program-client.h"
#include "compat-program.h"

/* Meanwhile a client waits. */
#define CONNECT_TIMEOUT_MSECS 1000

static struct program_client *
program_create(struct event *event, const char *socket_path,
	       const char *const *args)
{
#if DOVECOT_PREREQ(2, 4, 0)
	const struct program_client_parameters params = {
		.client_connect_timeout_msecs = CONNECT_TIMEOUT_MSECS,
		.no_reply = TRUE,
	};

	return program_client_unix_create(event, socket_path, args, &params);
#else
	/* what it says of user and group is for programs that this process
	   executes itself */
	const struct program_client_settings set = {
		.client_connect_timeout_msecs = CONNECT_TIMEOUT_MSECS,
		.event = event,
	};

	return program_client_unix_create(socket_path, args, &set, TRUE);
#endif
}

void compat_program_start(struct event *event, const char *socket_path,
			  const char *const *args, const char *username)
{
	struct program_client *program =
		program_create(event, socket_path, args);

	program_client_set_env(program, "USER", username);
	(void)program_client_run(program);
	program_client_destroy(&program);
}
