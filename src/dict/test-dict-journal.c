/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "test-common.h"
#include "dict-journal.h"
#include "test-kv.h"

#define PIECE_SIZE (16 * 1024)

static struct dict_journal *journal;
static string_t *text;
static bool damaged;
static const char *error;

static void begin(const char *name)
{
	test_begin(name);
	test_kv_begin();
	journal = dict_journal_init(test_kv());
	text = str_new(default_pool, 1024);
}

static void end(void)
{
	str_free(&text);
	dict_journal_deinit(&journal);
	test_kv_end();
	test_end();
}

static int read_text(uint32_t generation)
{
	str_truncate(text, 0);
	return dict_journal_read(journal, generation, text, &damaged, &error);
}

static void write_journal(void)
{
	struct dict_kv_transaction *trans;

	test_assert(dict_journal_look_ahead(journal, &error) == 0);
	trans = dict_kv_begin(test_kv());
	dict_journal_write(journal, trans);
	test_assert(dict_kv_commit(&trans, &error) == 1);
	dict_journal_forget(journal);
}

static void replace(uint32_t generation, const char *lines)
{
	dict_journal_replace(journal, generation, t_str_new_const(lines,
							strlen(lines)));
	write_journal();
}

static int append(uint32_t generation, const char *lines)
{
	return dict_journal_append(journal, generation,
		t_str_new_const(lines, strlen(lines)), &error);
}

/* count lines of size octets each */
static const char *make_lines(unsigned int count, size_t size, char c)
{
	string_t *lines = t_str_new(count * size + 1);
	unsigned int i;
	size_t n;

	for (i = 0; i < count; i++) {
		for (n = 0; n < size - 1; n++)
			str_append_c(lines, c);
		str_append_c(lines, '\n');
	}
	return str_c(lines);
}

static void test_small(void)
{
	begin("journal: read, append, replace");
	test_assert(read_text(0) == 0);
	test_assert(dict_journal_find(journal, 0, NULL, &damaged, &error) == 0);
	test_assert(append(1, "x\n") == 0);
	replace(1, "head\nfirst\n");
	test_assert(read_text(0) == 1 && !damaged);
	test_assert_strcmp(str_c(text), "head\nfirst\n");
	test_assert(read_text(1) == 1 && read_text(2) == 0);
	test_assert(append(2, "x\n") == 0);
	test_assert(append(1, "second\n") == 1 && append(1, "third\n") == 1);
	/* nothing is written yet, and it may be forgotten */
	test_assert(read_text(1) == 1);
	test_assert_strcmp(str_c(text), "head\nfirst\n");
	dict_journal_forget(journal);
	write_journal();
	test_assert(append(1, "second\n") == 1 && append(1, "third\n") == 1);
	write_journal();
	test_assert(read_text(1) == 1);
	test_assert_strcmp(str_c(text), "head\nfirst\nsecond\nthird\n");
	/* by a process that has not read it */
	dict_journal_deinit(&journal);
	journal = dict_journal_init(test_kv());
	replace(2, "head 2\n");
	test_assert_strcmp(test_kv_all(""),
			   "doc/journal/2/0=head 2\n doc/journal=2 1");
	end();
}

static void test_pieces(void)
{
	static const size_t sizes[] = { 100, 1000, 4096 };
	const char *first, *more;
	unsigned int i, count;

	for (i = 0; i < N_ELEMENTS(sizes); i++) {
		begin("journal: pieces");
		count = 100 * 1024 / sizes[i];
		first = make_lines(count, sizes[i], 'a');
		more = make_lines(count / 3, sizes[i], 'b');
		replace(7, first);
		test_assert_idx(read_text(7) == 1 && !damaged, i);
		test_assert_idx(strcmp(str_c(text), first) == 0, i);
		test_assert_idx(strtol(test_kv_value("doc/journal") + 2, NULL,
				       10) >= 100 / 20, i);
		test_assert(append(7, more) == 1);
		write_journal();
		test_assert_idx(read_text(7) == 1 && !damaged, i);
		test_assert_idx(strcmp(str_c(text),
				t_strconcat(first, more, NULL)) == 0, i);
		/* one after the other, as sessions do */
		for (count = 0; count < 50; count++) {
			test_assert(append(7, "one more line\n") == 1);
			write_journal();
		}
		test_assert_idx(read_text(7) == 1 && str_len(text) ==
				strlen(first) + strlen(more) + 50 * 14, i);
		/* a smaller one of the same generation leaves nothing */
		replace(7, "head\n");
		test_assert_strcmp(test_kv_all(""),
				   "doc/journal/7/0=head\n doc/journal=7 1");
		end();
	}

	begin("journal: a full piece is not written again");
	replace(1, make_lines(1, PIECE_SIZE, 'a'));
	test_kv_remove("doc/journal/1/0");
	test_kv_put("doc/journal/1/0", make_lines(1, PIECE_SIZE, 'z'));
	test_assert(append(1, "x\n") == 1);
	write_journal();
	test_assert_strcmp(test_kv_value("doc/journal"), "1 2");
	test_assert(*test_kv_value("doc/journal/1/0") == 'z');
	test_assert_strcmp(test_kv_value("doc/journal/1/1"), "x\n");
	end();
}

static void replace_while_reading(enum test_kv_op op ATTR_UNUSED,
				  const char *key)
{
	if (strcmp(key, "doc/journal/1/1") == 0) {
		test_kv_remove("doc/journal/1/0");
		test_kv_remove("doc/journal/1/1");
		test_kv_put("doc/journal", "2 1");
		test_kv_put("doc/journal/2/0", "head 2\n");
	}
}

static void test_damage(void)
{
	begin("journal: pieces are missing");
	replace(1, make_lines(100, 1000, 'a'));
	test_kv_remove("doc/journal/1/2");
	test_assert(read_text(1) == 1 && damaged);
	test_assert(str_len(text) == 83 * 1000);
	test_assert(dict_journal_find(journal, 1, NULL, &damaged, &error) == 1);
	test_assert(!damaged);
	test_kv_put("doc/journal/1/5", "a line\nand a par");
	test_assert(dict_journal_find(journal, 1, NULL, &damaged, &error) == 1);
	test_assert(damaged);
	test_assert(append(1, "more\n") == 1);
	write_journal();
	test_assert_strcmp(test_kv_value("doc/journal/1/5"), "a line\nmore\n");
	test_kv_remove("doc/journal/1/0");
	test_assert(dict_journal_find(journal, 1, text, &damaged,
				      &error) == 1 && damaged);
	end();

	begin("journal: replaced while it is read");
	replace(1, make_lines(30, 1000, 'a'));
	test_kv_hook = replace_while_reading;
	test_assert(read_text(1) == 0);
	test_kv_hook = NULL;
	test_assert(read_text(2) == 1 && !damaged);
	end();
}

static void test_hostile(void)
{
	static const char *const heads[] = {
		"", "1", "1 ", "1 0", "0 1", "x 1", "1 x", "1 4097", "-1 1",
		"1 1 1", "4294967296 1", "1 -1"
	};
	unsigned int i;

	begin("journal: what is no head");
	for (i = 0; i < N_ELEMENTS(heads); i++) {
		test_kv_put("doc/journal", heads[i]);
		test_assert_idx(read_text(0) == -1, i);
		test_assert_idx(strstr(error, "expected a generation") != NULL,
				i);
	}
	test_kv_put("doc/journal", "1 4096");
	test_assert(read_text(0) == 1 && damaged && str_len(text) == 0);
	end();

	begin("journal: too large");
	dict_journal_replace(journal, 1, t_str_new_const("", 0));
	test_kv_put("doc/journal", "1 4096");
	test_kv_put("doc/journal/1/4095", make_lines(1, PIECE_SIZE, 'a'));
	dict_journal_forget(journal);
	test_assert(append(1, "x\n") == 1);
	test_assert(dict_journal_look_ahead(journal, &error) == -1);
	test_assert_strcmp(error, "the journal would have more than 4096 "
			   "pieces of 16384 octets");
	end();

	begin("journal: reading fails");
	replace(1, "head\n");
	test_kv_ops = 0;
	test_kv_fail_at = 0;
	test_assert(read_text(1) == -1 && append(1, "x\n") == -1);
	test_kv_fail_at = test_kv_ops + 1;
	test_assert(read_text(1) == -1);
	test_kv_fail_at = test_kv_ops + 1;
	test_assert(append(1, "x\n") == -1);
	test_assert_strcmp(error, "reading failed");
	end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_small,
		test_pieces,
		test_damage,
		test_hostile,
		NULL
	};

	return test_run(tests);
}
