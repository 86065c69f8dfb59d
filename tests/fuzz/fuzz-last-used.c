/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "credential-check.h"
#include "last-used-line.h"
#include "fuzz.h"

/* What is read of a line may stand in one, and is read again when it is
   printed. */

const char *const fuzz_corpus = "last-used";

static void check_line(const uint8_t *data, size_t size)
{
	struct last_used_line line, again;
	string_t *text = t_str_new(256);
	const char *error = NULL;
	int ret;

	ret = last_used_line_parse(data, size, &line, &error);
	i_assert((ret < 0) == (error != NULL));
	if (ret < 0)
		return;
	i_assert(size <= LAST_USED_LINE_MAX_SIZE);
	i_assert(credential_user_name_is_valid(line.user, &error));
	i_assert(*line.id == '\0' ||
		 app_password_id_is_valid(line.id, &error));
	i_assert(line.time >= 0);
	last_used_line_print(text, &line);
	i_assert(str_len(text) <= LAST_USED_LINE_MAX_SIZE + 1);
	/* one line */
	i_assert(strchr(str_c(text), '\n') ==
		 str_c(text) + str_len(text) - 1);
	i_assert(last_used_line_parse(str_data(text), str_len(text) - 1,
				      &again, &error) == 0);
	i_assert(strcmp(line.user, again.user) == 0 &&
		 strcmp(line.id, again.id) == 0 && line.time == again.time &&
		 net_ip_cmp(&line.ip, &again.ip) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_init();
	T_BEGIN {
		check_line(data, size);
	} T_END;
	return 0;
}
