/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "test-common.h"
#include "test-home.h"
#include "test-last-used-use.h"

#include <stdio.h>

struct last_used *test_last_used_init(void)
{
	return last_used_init(test_home_path(TEST_LAST_USED_NAME));
}

static const char *without_home(const char *error)
{
	const char *home = test_home_path("");
	string_t *text = t_str_new(128);
	const char *at;

	while ((at = strstr(error, home)) != NULL) {
		str_append_data(text, error, at - error);
		error = at + strlen(home);
	}
	str_append(text, error);
	return str_c(text);
}

int test_last_used_note(struct last_used *used, const char *name,
			const char *id, const char *address, time_t now,
			const char **error_r)
{
	const char *error = NULL;
	int ret;

	ret = last_used_note(used, name, id, address, now, &error);
	test_assert(ret >= 0 || error != NULL);
	*error_r = ret < 0 ? without_home(error) : "";
	return ret;
}

const char *test_last_used_show(struct last_used *used, const char *name)
{
	pool_t pool = pool_alloconly_create("test last used", 1024);
	string_t *text = t_str_new(64);
	ARRAY_TYPE(last_use) uses;
	const struct last_use *use;
	const char *error;

	if (last_used_get(used, name, pool, &uses, &error) < 0) {
		str_append(text, without_home(error));
	} else {
		array_foreach(&uses, use) {
			str_printfa(text, "%s%s@%"PRIdTIME_T"/%s",
				    str_len(text) == 0 ? "" : " ", use->id,
				    use->time, use->address);
		}
	}
	pool_unref(&pool);
	return str_c(text);
}

const char *test_last_used_show_new(const char *name)
{
	struct last_used *used = test_last_used_init();
	const char *result = test_last_used_show(used, name);

	last_used_deinit(&used);
	return result;
}

unsigned int test_last_used_count(const char *words)
{
	FILE *file = fopen(test_home_path(TEST_LAST_USED_FILE), "r");
	/* not in the data stack: it may be large */
	char line[1024];
	unsigned int count = 0;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (*line != '\n' && strstr(line, words) != NULL)
			count++;
	}
	if (fclose(file) < 0)
		i_fatal("fclose() failed: %m");
	return count;
}
