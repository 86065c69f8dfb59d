/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "quota-text.h"
#include "store.h"
#include "test-home.h"
#include "test-session-use.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *state_dir;
uint64_t throttle_rate;
unsigned int info_count;
string_t *info_last;

static struct pop3_quota_limits limits;
static failure_callback_t *orig_info_handler;

static void ATTR_FORMAT(2, 0)
info_handler(const struct failure_context *ctx ATTR_UNUSED, const char *format,
	     va_list args)
{
	va_list args2;

	VA_COPY(args2, args);
	str_truncate(info_last, 0);
	str_vprintfa(info_last, format, args2);
	va_end(args2);
	info_count++;
}

void fixture_begin(const char *quota)
{
	failure_callback_t *fatal, *error, *debug;
	const char *parse_error;

	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv() failed: %m");
	tzset();
	test_home_begin();
	state_dir = test_home_path("pop3-policy");
	test_time = NOON;
	throttle_rate = 0;
	if (pop3_quota_limits_parse(quota, &limits, &parse_error) < 0)
		i_fatal("%s: %s", quota, parse_error);
	info_count = 0;
	info_last = str_new(default_pool, 128);
	i_get_failure_handlers(&fatal, &error, &orig_info_handler, &debug);
	i_set_info_handler(info_handler);
}

void fixture_end(void)
{
	i_set_info_handler(orig_info_handler);
	str_free(&info_last);
	test_time = 0;
	test_home_end();
}

void session_begin_ignore(struct session *session, bool ignore_errors)
{
	session->store = policy_store_init(state_dir, FALSE, NULL);
	session->quota = session_quota_init(&limits, throttle_rate,
					    session->store, ignore_errors,
					    NULL);
	session->reply = NULL;
}

void session_begin(struct session *session)
{
	session_begin_ignore(session, FALSE);
}

void session_kill(struct session *session)
{
	session_quota_deinit(&session->quota);
	policy_store_deinit(&session->store);
}

const char *session_end(struct session *session)
{
	const char *left = session_quota_finish(session->quota);

	session_kill(session);
	return left;
}

bool retr(struct session *session, uoff_t size)
{
	if (!session_quota_request(session->quota, size, size * 2 + 10,
				   &session->reply))
		return FALSE;
	session_quota_spend(session->quota, size + 10, TRUE);
	return TRUE;
}

void top(struct session *session, uoff_t size)
{
	session_quota_reserve(session->quota, size);
	session_quota_spend(session->quota, size, FALSE);
}

uint64_t
disk(enum pop3_quota_window window, enum pop3_quota_resource resource)
{
	struct policy_store *store = policy_store_init(state_dir, FALSE, NULL);
	struct policy_state *state;
	const char *error;
	uint64_t used;

	if (policy_store_read(store, &state, &error) != POLICY_STORE_OK)
		i_fatal("%s", error);
	used = policy_state_quota(state)->window[window].used.n[resource];
	policy_state_deinit(&state);
	policy_store_deinit(&store);
	return used;
}

void assert_disk(uint64_t bytes, uint64_t messages, unsigned int idx)
{
	unsigned int w;

	for (w = 0; w < POP3_QUOTA_WINDOW_COUNT; w++) {
		test_assert_idx(disk(w, BYTES) == bytes, idx * 10 + w);
		test_assert_idx(disk(w, MESSAGES) == messages, idx * 10 + w);
	}
}

bool was_written(void)
{
	const char *path = t_strconcat(state_dir, "/state.json", NULL);
	static int old_fd = -1;
	struct stat old_st, st;
	bool written = TRUE;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd != -1 && old_fd != -1) {
		/* no new file has this inode number while the old one is open */
		if (fstat(fd, &st) < 0 || fstat(old_fd, &old_st) < 0)
			i_fatal("fstat() failed: %m");
		written = old_st.st_ino != st.st_ino ||
			old_st.st_dev != st.st_dev;
	}
	i_close_fd(&old_fd);
	old_fd = fd;
	return fd != -1 && written;
}
