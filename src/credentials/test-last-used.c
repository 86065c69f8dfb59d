/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "test-home.h"
#include "test-last-used-use.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_NAME TEST_LAST_USED_FILE
/* Just the form of our printer. */
#define LINE(user, id, time) \
	"{\"user\":\"" user "\",\"id\":\"" id "\",\"time\":" time "}\n"

#define LONG_NAME \
	"0123456789012345678901234567890123456789012345678901234567890123456789"

static const char *path(void)
{
	return test_home_path(FILE_NAME);
}

static void append(const char *data, size_t size)
{
	int fd = open(path(), O_WRONLY | O_APPEND | O_CREAT, 0600);

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		i_fatal("write() failed: %m");
	i_close_fd(&fd);
}

static void append_text(const char *text)
{
	append(text, strlen(text));
}

static void test_hour(void)
{
	static const struct {
		const char *name, *id, *address;
		time_t now;
		int ret;
		const char *uses;
	} tests[] = {
		{ "jane", "", "192.0.2.1", 5000, 1, "@5000/192.0.2.1" },
		{ "jane", "", "192.0.2.2", 5000, 0, "@5000/192.0.2.1" },
		{ "jane", "", "192.0.2.2", 8599, 0, "@5000/192.0.2.1" },
		{ "jane", "", "192.0.2.2", 8600, 1, "@8600/192.0.2.2" },
		{ "jane", "k7qmx3", "", 8600, 1,
		  "@8600/192.0.2.2 k7qmx3@8600/" },
		{ "jane", "k7qmx3", "2001:db8::1", 8601, 0,
		  "@8600/192.0.2.2 k7qmx3@8600/" },
		{ "jan", "", "", 8601, 1, "@8601/" },
		{ "Jane", "", "", 8601, 1, "@8601/" },
		/* the clock is set back: by a minute, and from far away */
		{ "jane", "", "", 8540, 1, "@8540/ k7qmx3@8600/" },
		{ "jane", "", "", 8541, 0, "@8540/ k7qmx3@8600/" },
		{ "jane", "k7qmx3", "", 2000000000, 1,
		  "@8540/ k7qmx3@2000000000/" },
		{ "jane", "k7qmx3", "::1", 8602, 1,
		  "@8540/ k7qmx3@8602/::1" },
		{ "jane", "k7qmx3", "", 8603, 0, "@8540/ k7qmx3@8602/::1" },
	};
	struct last_used *used;
	const char *error;
	unsigned int i, lines = 0;

	test_begin("last used: once an hour");
	test_home_begin();
	used = test_last_used_init();
	test_assert_strcmp(test_last_used_show(used, "jane"), "");
	test_assert(test_file_mode(path()) == 0);
	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		test_assert_idx(test_last_used_note(used, tests[i].name,
			tests[i].id, tests[i].address, tests[i].now,
			&error) == tests[i].ret, i);
		test_assert_strcmp_idx(error, "", i);
		test_assert_strcmp_idx(test_last_used_show(used, tests[i].name),
				       tests[i].uses, i);
		test_assert_strcmp_idx(test_last_used_show_new(tests[i].name),
				       tests[i].uses, i);
		lines += tests[i].ret;
		test_assert_idx(test_last_used_count("") == lines, i);
	} T_END;
	test_assert_strcmp(test_last_used_show(used, "joe"), "");
	test_assert(test_file_mode(path()) == 0600);
	last_used_deinit(&used);
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

/* The number that the next file gets. */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY), next = fd;

	i_close_fd(&fd);
	return next;
}

static void test_refused(void)
{
	struct last_used *used;
	const char *error;
	int fd = next_fd();

	test_begin("last used: what is not noted, and no file stays open");
	test_home_begin();
	used = test_last_used_init();
	test_assert(test_last_used_note(used, "", "", "", 1, &error) < 0);
	test_assert_strcmp(error, "user is empty, expected 1 to 255 octets");
	test_assert(test_last_used_note(used, "a", "\"", "", 1, &error) < 0);
	test_assert(test_last_used_note(used, "a", "", "host", 1, &error) < 0);
	test_assert_strcmp(error, "address is not one of IPv4 or IPv6");
	test_assert(test_file_mode(path()) == 0);
	test_assert(test_last_used_note(used, "a", "", "", 1, &error) == 1);
	test_assert(test_last_used_note(used, "a", "", "", 1, &error) == 0);
	test_assert_strcmp(test_last_used_show(used, "a"), "@1/");
	test_file_write_size(path(), 1);
	if (chmod(path(), 0644) < 0)
		i_fatal("chmod() failed: %m");
	test_assert(test_last_used_note(used, "a", "", "", 1, &error) < 0);
	test_assert(next_fd() == fd);
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

/* Who was killed left a part of a line; others left worse. */
static void test_damage(void)
{
	static const char *const junk[] = {
		"{\"user\":\"a\",\"id\":\"\",\"ti", "x", "{", "\n", "\n\n\n",
		"[]\n", "{}", "\xff\n", "{\"user\":\"a\",\"time\":-1}\n",
		"{\"user\":\"\",\"time\":9}\n", "\"\n",
	};
	struct last_used *used;
	const char *error;
	unsigned int i;

	test_begin("last used: damaged lines");
	for (i = 0; i < N_ELEMENTS(junk); i++) T_BEGIN {
		test_home_begin();
		used = test_last_used_init();
		append_text(LINE("a", "", "5000"));
		append_text(junk[i]);
		test_assert_strcmp_idx(test_last_used_show(used, "a"),
				       "@5000/", i);
		test_assert_idx(test_last_used_note(used, "a", "", "", 5001,
						    &error) == 0, i);
		test_assert_idx(test_last_used_note(used, "b", "", "", 5001,
						    &error) == 1, i);
		append_text(junk[i]);
		test_assert_strcmp_idx(test_last_used_show(used, "b"),
				       "@5001/", i);
		test_assert_idx(test_last_used_note(used, "a", "", "", 9000,
						    &error) == 1, i);
		test_assert_strcmp_idx(test_last_used_show(used, "a"),
				       "@9000/", i);
		test_assert_strcmp_idx(test_last_used_show_new("a"), "@9000/",
				       i);
		test_assert_strcmp_idx(test_last_used_show_new("b"), "@5001/",
				       i);
		/* none of ours has an empty line before it without need */
		test_assert_idx(strstr(test_file_read(path()), "\n\n\n\n\n") ==
				NULL, i);
		last_used_deinit(&used);
		test_home_end();
	} T_END;
	test_end();
}

/* The rest of a line comes later. */
static void test_parts(void)
{
	static const char *const line = LINE("a", "k7qmx3", "5000");
	struct last_used *used;
	size_t i, len = strlen(line);

	test_begin("last used: a line that is being written");
	test_home_begin();
	used = test_last_used_init();
	append_text("");
	for (i = 0; i < len; i++) T_BEGIN {
		test_assert_strcmp_idx(test_last_used_show(used, "a"), "", i);
		append(line + i, 1);
	} T_END;
	test_assert_strcmp(test_last_used_show(used, "a"), "k7qmx3@5000/");
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

/* Around the sizes in which the file is read. */
static void test_long_lines(void)
{
	static const size_t sizes[] = {
		4096, 4097, 32766, 32767, 32768, 32769, 65535, 65536, 65537,
		100000,
	};
	struct last_used *used, *other;
	const char *error;
	char *data = i_malloc(100000);
	unsigned int i;

	test_begin("last used: lines that are too long");
	for (i = 0; i < N_ELEMENTS(sizes); i++) T_BEGIN {
		test_home_begin();
		used = test_last_used_init();
		other = test_last_used_init();
		append_text(LINE("a", "", "5000"));
		/* only its end looks like a line */
		memset(data, ' ', sizes[i]);
		append(data, sizes[i]);
		test_assert_strcmp_idx(test_last_used_show(used, "a"),
				       "@5000/", i);
		append_text(LINE("a", "", "6000"));
		test_assert_strcmp_idx(test_last_used_show(used, "a"),
				       "@5000/", i);
		append_text(LINE("b", "", "7000"));
		test_assert_strcmp_idx(test_last_used_show(used, "a"),
				       "@5000/", i);
		test_assert_strcmp_idx(test_last_used_show(used, "b"),
				       "@7000/", i);
		test_assert_idx(used->lines_count == 3, i);
		/* one that has no end */
		append(data, sizes[i]);
		test_assert_strcmp_idx(test_last_used_show(other, "b"),
				       "@7000/", i);
		test_assert_idx(test_last_used_note(other, "c", "", "", 8000,
						    &error) == 1, i);
		test_assert_strcmp_idx(test_last_used_show(used, "c"),
				       "@8000/", i);
		test_assert_strcmp_idx(test_last_used_show_new("c"), "@8000/",
				       i);
		last_used_deinit(&used);
		last_used_deinit(&other);
		test_home_end();
	} T_END;
	i_free(data);
	test_end();
}

/* Many lines, so that they stand across the ends of what is read. */
static void test_many(void)
{
	string_t *text = str_new(default_pool, 256 * 1024);
	struct last_used *used;
	const char *name;
	unsigned int i;

	test_begin("last used: many users");
	test_home_begin();
	for (i = 0; i < 3000; i++) {
		str_printfa(text, "{\"user\":\"%u@example.org\",\"id\":\"\","
			    "\"time\":%u}\n", i, i);
	}
	append_text(str_c(text));
	used = test_last_used_init();
	for (i = 0; i < 3000; i++) T_BEGIN {
		name = t_strdup_printf("%u@example.org", i);
		test_assert_strcmp_idx(test_last_used_show(used, name),
				       t_strdup_printf("@%u/", i), i);
	} T_END;
	test_assert(used->entries_count == 3000);
	test_assert(used->lines_count == 3000);
	last_used_deinit(&used);
	test_home_end();
	str_free(&text);
	test_end();
}

static void test_replaced(void)
{
	struct last_used *used;
	const char *error;

	test_begin("last used: another file");
	test_home_begin();
	used = test_last_used_init();
	/* the shortest that there is */
	append_text(LINE("a", "", "5000") "{\"user\":\"b\",\"time\":7}\n");
	test_assert_strcmp(test_last_used_show(used, "b"), "@7/");
	/* a longer one was renamed there */
	test_file_write(test_home_path("new"), LINE("a", "", "1000")
			LINE("c", "", "1000") LINE("d", "", "1000"));
	if (rename(test_home_path("new"), path()) < 0)
		i_fatal("rename() failed: %m");
	test_assert_strcmp(test_last_used_show(used, "a"), "@1000/");
	test_assert_strcmp(test_last_used_show(used, "b"), "");
	test_assert_strcmp(test_last_used_show(used, "d"), "@1000/");
	/* the same file was made shorter, longer, and just as long */
	test_file_write(path(), LINE("a", "", "1"));
	test_assert_strcmp(test_last_used_show(used, "a"), "@1/");
	test_assert_strcmp(test_last_used_show(used, "c"), "");
	test_file_write(path(), LINE("e", "", "2") LINE("f", "", "2"));
	test_assert_strcmp(test_last_used_show(used, "a"), "");
	test_assert_strcmp(test_last_used_show(used, "e"), "@2/");
	test_file_write(path(), LINE("f", "", "3") LINE("e", "", "3"));
	test_assert_strcmp(test_last_used_show(used, "e"), "@3/");
	test_file_write(path(), "");
	test_assert_strcmp(test_last_used_show(used, "e"), "");
	/* just as long, with the same line at its end */
	test_file_write(path(), LINE("a", "", "1") LINE(LONG_NAME, "", "5"));
	test_assert_strcmp(test_last_used_show(used, "a"), "@1/");
	test_file_write(test_home_path("new"),
			LINE("a", "", "2") LINE(LONG_NAME, "", "5"));
	if (rename(test_home_path("new"), path()) < 0)
		i_fatal("rename() failed: %m");
	test_assert_strcmp(test_last_used_show(used, "a"), "@2/");
	/* nothing but zeroes, and then nothing where those were */
	test_file_write_size(path(), 40000);
	test_assert_strcmp(test_last_used_show(used, "a"), "");
	test_file_write(path(), LINE("a", "", "3"));
	test_assert_strcmp(test_last_used_show(used, "a"), "@3/");
	/* and it is gone */
	test_assert(test_last_used_note(used, "e", "", "", 9, &error) == 1);
	i_unlink(path());
	test_assert_strcmp(test_last_used_show(used, "e"), "");
	test_assert(test_last_used_note(used, "e", "", "", 9, &error) == 1);
	test_assert(test_last_used_count("") == 1);
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

static const char *nth_id(unsigned int n)
{
	static const char *const alphabet = APP_PASSWORD_ID_ALPHABET;

	return t_strdup_printf("%c%caaaa", alphabet[n / 20], alphabet[n % 20]);
}

static void test_user_max(void)
{
	struct last_used *used;
	const char *error;
	unsigned int i;

	test_begin("last used: a user with too many passwords");
	test_home_begin();
	used = test_last_used_init();
	for (i = 0; i < LAST_USED_USER_MAX_ENTRIES; i++) T_BEGIN {
		/* the one in the middle is the oldest */
		test_assert_idx(test_last_used_note(used, "a", nth_id(i), "",
						    i == 60 ? 1 : 5000,
						    &error) == 1, i);
	} T_END;
	test_assert(used->entries_count == LAST_USED_USER_MAX_ENTRIES);
	test_assert(last_used_lookup(used, "a", nth_id(60)) != NULL);
	test_assert(test_last_used_note(used, "a", "zzzzzz", "::1", 6000,
					&error) == 1);
	test_assert(used->entries_count == LAST_USED_USER_MAX_ENTRIES);
	test_assert(last_used_lookup(used, "a", nth_id(60)) == NULL);
	test_assert(last_used_lookup(used, "a", nth_id(59)) != NULL);
	test_assert(last_used_lookup(used, "a", nth_id(61)) != NULL);
	test_assert(strstr(test_last_used_show(used, "a"), "zzzzzz@6000/::1") !=
		    NULL);
	test_assert(test_last_used_note(used, "b", "", "", 6000, &error) == 1);
	test_assert(used->entries_count == LAST_USED_USER_MAX_ENTRIES + 1);
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

static void test_bounds(void)
{
	static const char *const too_many = FILE_NAME" has more passwords than "
		"are expected, which is at most 262144";
	struct last_used *used;
	const char *error;

	test_begin("last used: a file that is too large");
	test_home_begin();
	used = test_last_used_init();
	append_text(LINE("a", "", "5000"));
	test_assert_strcmp(test_last_used_show(used, "a"), "@5000/");
	used->entries_count = LAST_USED_MAX_ENTRIES;
	test_assert(test_last_used_note(used, "a", "", "", 9000, &error) == 1);
	append_text(LINE("b", "", "5000"));
	test_assert_strcmp(test_last_used_show(used, "a"), too_many);
	test_assert_strcmp(test_last_used_show(used, "b"), too_many);
	test_assert(test_last_used_note(used, "c", "", "", 9, &error) < 0);
	test_assert_strcmp(error, too_many);

	/* with holes */
	test_file_write(path(), LINE("a", "", "5000"));
	if (truncate(path(), LAST_USED_MAX_SIZE + 1) < 0)
		i_fatal("truncate() failed: %m");
	error = FILE_NAME" has 67108865 octets, expected at most 67108864";
	test_assert_strcmp(test_last_used_show(used, "a"), error);
	test_assert_strcmp(test_last_used_show_new("a"), error);
	test_assert(test_last_used_note(used, "c", "", "", 9, &error) < 0);
	if (truncate(path(), LAST_USED_MAX_SIZE) < 0)
		i_fatal("truncate() failed: %m");
	test_assert_strcmp(test_last_used_show(used, "a"), "@5000/");
	test_assert(test_last_used_note(used, "c", "", "", 9, &error) < 0);
	test_assert_strcmp(error, FILE_NAME" would have 67108895 octets, "
			   "expected at most 67108864");
	last_used_deinit(&used);
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_hour,
		test_refused,
		test_damage,
		test_parts,
		test_long_lines,
		test_many,
		test_replaced,
		test_user_max,
		test_bounds,
		NULL
	};
	return test_run(test_functions);
}
