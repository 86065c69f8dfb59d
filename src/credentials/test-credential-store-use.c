/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "credential-store.h"
#include "test-credential-store-use.h"
#include "test-credential-use.h"
#include "test-home.h"

#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_store test_store;
static int opens_fd;

static void ATTR_FORMAT(2, 0)
count_error(const struct failure_context *ctx ATTR_UNUSED, const char *format,
	    va_list args)
{
	test_store.log_count++;
	i_free(test_store.log_text);
	test_store.log_text = i_strdup_vprintf(format, args);
}

bool test_begins(const char *text, const char *words)
{
	return strncmp(text, words, strlen(words)) == 0;
}

void test_store_begin(size_t max_size)
{
	test_home_begin();
	opens_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (opens_fd == -1 ||
	    inotify_add_watch(opens_fd, test_home_path("."), IN_OPEN) < 0)
		i_fatal("inotify_add_watch() failed: %m");
	test_store.store = credential_store_init(max_size, NULL);
}

void test_store_end(void)
{
	credential_store_deinit(&test_store.store);
	test_assert(test_store.store == NULL);
	i_free(test_store.log_text);
	i_close_fd(&opens_fd);
	test_home_end();
}

/* How often files in the home were opened since the last time. */
static unsigned int count_opens(void)
{
	char buf[4096] __attribute__((aligned(8)));
	const struct inotify_event *event;
	unsigned int count = 0;
	ssize_t size, pos;

	while ((size = read(opens_fd, buf, sizeof(buf))) > 0) {
		for (pos = 0; pos < size; pos += sizeof(*event) + event->len) {
			event = (const void *)(buf + pos);
			test_assert((event->mask & IN_Q_OVERFLOW) == 0);
			if (event->len > 0)
				count++;
		}
	}
	return count;
}

/* Leave out the path of the home. */
const char *test_store_shorten(const char *text)
{
	const char *home = test_home_path(""), *at;

	while ((at = strstr(text, home)) != NULL) {
		text = t_strconcat(t_strdup_until(text, at), at + strlen(home),
				   NULL);
	}
	return text;
}

const char *
test_store_find_below(const char *users_folder, const char *file,
		      const char *name)
{
	failure_callback_t *fatal, *error_handler, *info, *debug;
	pool_t pool = pool_alloconly_create("test store", 1024);
	const char *error = NULL, *result;
	struct credential_user user;
	int ret;

	test_store.log_count = 0;
	i_get_failure_handlers(&fatal, &error_handler, &info, &debug);
	i_set_error_handler(count_error);
	(void)count_opens();
	ret = credential_store_find(test_store.store, test_home_path(file),
				    users_folder == NULL ? NULL :
				    test_home_path(users_folder),
				    name, test_store.now, pool, &user, &error);
	test_store.read_count = count_opens();
	i_set_error_handler(error_handler);
	test_assert((error != NULL) == (ret < 0));
	if (ret < 0)
		result = test_store_shorten(error);
	else
		result = ret == 0 ? "none" : test_credential_user_show(&user);
	pool_unref(&pool);
	return result;
}

const char *
test_store_find_in(const char *file, bool own_file, const char *name)
{
	return test_store_find_below(own_file ? "" : NULL, file, name);
}

const char *test_store_find(const char *name)
{
	return test_store_find_in(NAME, FALSE, name);
}

/* Look at the file so many seconds after it changed. */
void test_store_set_age(int secs)
{
	struct stat st;

	if (lstat(test_home_path(NAME), &st) < 0)
		i_fatal("lstat() failed: %m");
	test_store.now = st.st_ctim.tv_sec + secs;
}

void test_store_write(const char *text)
{
	test_file_write(test_home_path(NAME), text);
	test_store_set_age(10);
}

void test_store_set_mode(unsigned int mode)
{
	if (chmod(test_home_path(NAME), mode) < 0)
		i_fatal("chmod() failed: %m");
	test_store_set_age(10);
}

void test_store_make_good(void)
{
	test_store_write(TEST_FILE(A "\n"));
}

void test_store_make_torn(void)
{
	test_store_write("{\"version\":1,\"users\":{\n" A);
}

void test_store_remove(void)
{
	if (rmdir(test_home_path(NAME)) < 0)
		i_unlink_if_exists(test_home_path(NAME));
}
