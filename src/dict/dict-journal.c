/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "dict-journal.h"

/* "GENERATION PIECES" */
#define KEY_HEAD DICT_KV_DOC"journal"

/* A piece that has less is added to. */
#define PIECE_SIZE (16 * 1024)
/* With PIECE_SIZE that is 64 MB, some hundred thousand messages. */
#define MAX_PIECES 4096

struct journal_head {
	uint32_t generation;
	unsigned int pieces;
};

struct dict_journal {
	struct dict_kv *kv;
	/* Of what is to be written: pieces from first on take the place of
	   those that are there. text is NULL if there is nothing. */
	string_t *text;
	uint32_t generation;
	unsigned int first;
	/* what is there of another generation */
	struct journal_head replaced;
};

struct dict_journal *dict_journal_init(struct dict_kv *kv)
{
	struct dict_journal *journal = i_new(struct dict_journal, 1);

	journal->kv = kv;
	return journal;
}

void dict_journal_deinit(struct dict_journal **_journal)
{
	struct dict_journal *journal = *_journal;

	*_journal = NULL;
	dict_journal_forget(journal);
	i_free(journal);
}

void dict_journal_forget(struct dict_journal *journal)
{
	str_free(&journal->text);
}

static const char *piece_key(uint32_t generation, unsigned int number)
{
	return t_strdup_printf(KEY_HEAD"/%u/%u", generation, number);
}

static bool head_parse(const char *text, struct journal_head *head_r)
{
	const char *const *words = t_strsplit(text, " ");

	return str_array_length(words) == 2 &&
		str_to_uint32(words[0], &head_r->generation) == 0 &&
		str_to_uint(words[1], &head_r->pieces) == 0 &&
		head_r->generation != 0 && head_r->pieces > 0 &&
		head_r->pieces <= MAX_PIECES;
}

/* Returns 1, 0 if there is no journal of this generation (0 for any), -1 and an
   error. */
static int
read_head(struct dict_journal *journal, uint32_t generation,
	  struct journal_head *head_r, const char **error_r)
{
	const char *text;
	int ret;

	ret = dict_kv_get(journal->kv, KEY_HEAD, &text, error_r);
	if (ret <= 0)
		return ret;
	if (!head_parse(text, head_r)) {
		*error_r = t_strdup_printf("doc/journal is \"%s\", expected a "
			"generation and a number of pieces",
			t_strndup(text, 80));
		return -1;
	}
	return generation == 0 || generation == head_r->generation ? 1 : 0;
}

/* Returns 1, 0 if there is no such piece, -1 and an error. */
static int
read_piece(struct dict_journal *journal, uint32_t generation,
	   unsigned int number, const char **text_r, const char **error_r)
{
	return dict_kv_get(journal->kv, piece_key(generation, number), text_r,
			   error_r);
}

/* Append the whole lines of a piece; *damaged is set if it is missing, or cut
   by somebody. */
static int
append_piece(struct dict_journal *journal, uint32_t generation,
	     unsigned int number, string_t *text, bool *damaged,
	     const char **error_r)
{
	const char *piece, *end;
	int ret;

	ret = read_piece(journal, generation, number, &piece, error_r);
	if (ret < 0)
		return -1;
	end = ret == 0 ? NULL : strrchr(piece, '\n');
	if (end != NULL)
		str_append_data(text, piece, end + 1 - piece);
	if (end == NULL || end[1] != '\0')
		*damaged = TRUE;
	return 0;
}

/* Whether the pieces belong to another journal by now: what was missing was
   removed with that one. */
static int
was_replaced(struct dict_journal *journal, uint32_t generation,
	     const char **error_r)
{
	struct journal_head head;
	int ret;

	ret = read_head(journal, generation, &head, error_r);
	return ret < 0 ? -1 : ret == 0 ? 1 : 0;
}

int dict_journal_read(struct dict_journal *journal, uint32_t generation,
		      string_t *text, bool *damaged_r, const char **error_r)
{
	struct journal_head head;
	unsigned int i;
	int ret;

	*damaged_r = FALSE;
	ret = read_head(journal, generation, &head, error_r);
	for (i = 0; ret > 0 && i < head.pieces; i++) T_BEGIN {
		if (append_piece(journal, head.generation, i, text, damaged_r,
				 error_r) < 0)
			ret = -1;
	} T_END_PASS_STR_IF(ret < 0, error_r);
	if (ret > 0 && *damaged_r) {
		ret = was_replaced(journal, head.generation, error_r);
		ret = ret < 0 ? -1 : ret > 0 ? 0 : 1;
	}
	return ret;
}

int dict_journal_find(struct dict_journal *journal, uint32_t generation,
		      string_t *text, bool *damaged_r, const char **error_r)
{
	struct journal_head head;
	string_t *last;
	int ret;

	*damaged_r = FALSE;
	ret = read_head(journal, generation, &head, error_r);
	if (ret <= 0)
		return ret;
	if (text != NULL) {
		return append_piece(journal, head.generation, 0, text,
				    damaged_r, error_r) < 0 ? -1 : 1;
	}
	last = t_str_new(PIECE_SIZE);
	return append_piece(journal, head.generation, head.pieces - 1, last,
			    damaged_r, error_r) < 0 ? -1 : 1;
}

int dict_journal_append(struct dict_journal *journal, uint32_t generation,
			const string_t *lines, const char **error_r)
{
	struct journal_head head;
	bool damaged;
	int ret;

	if (journal->text == NULL) {
		ret = read_head(journal, generation, &head, error_r);
		if (ret <= 0)
			return ret;
		journal->text = str_new(default_pool, PIECE_SIZE);
		journal->generation = head.generation;
		journal->first = head.pieces - 1;
		journal->replaced = head;
		if (append_piece(journal, head.generation, journal->first,
				 journal->text, &damaged, error_r) < 0) {
			dict_journal_forget(journal);
			return -1;
		}
		if (str_len(journal->text) >= PIECE_SIZE) {
			str_truncate(journal->text, 0);
			journal->first++;
		}
	}
	str_append_str(journal->text, lines);
	return 1;
}

void dict_journal_replace(struct dict_journal *journal, uint32_t generation,
			  const string_t *text)
{
	dict_journal_forget(journal);
	journal->text = str_new(default_pool, str_len(text) + 1);
	str_append_str(journal->text, text);
	journal->generation = generation;
	journal->first = 0;
}

int dict_journal_look_ahead(struct dict_journal *journal,
			    const char **error_r)
{
	if (journal->text == NULL)
		return 0;
	if (str_len(journal->text) / PIECE_SIZE + journal->first >=
	    MAX_PIECES) {
		/* it would be refused when it is read */
		*error_r = t_strdup_printf("the journal would have more than "
			"%u pieces of %u octets", MAX_PIECES, PIECE_SIZE);
		return -1;
	}
	i_zero(&journal->replaced);
	return read_head(journal, 0, &journal->replaced, error_r) < 0 ? -1 : 0;
}

/* How much of the text is the next piece: up to the line that fills it. */
static size_t piece_len(const char *text, size_t len)
{
	const char *end;

	if (len <= PIECE_SIZE)
		return len;
	end = memchr(text + PIECE_SIZE, '\n', len - PIECE_SIZE);
	return end == NULL ? len : (size_t)(end - text) + 1;
}

void dict_journal_write(struct dict_journal *journal,
			struct dict_kv_transaction *trans)
{
	const struct journal_head *old = &journal->replaced;
	const char *text;
	unsigned int number, i;
	size_t left, len;

	if (journal->text == NULL)
		return;
	text = str_c(journal->text);
	left = str_len(journal->text);
	for (number = journal->first; left > 0; number++) T_BEGIN {
		len = piece_len(text, left);
		dict_kv_set(trans, piece_key(journal->generation, number),
			    t_strndup(text, len));
		text += len;
		left -= len;
	} T_END;
	for (i = old->generation == journal->generation ? number : 0;
	     i < old->pieces; i++)
		dict_kv_unset(trans, piece_key(old->generation, i));
	dict_kv_set(trans, KEY_HEAD, t_strdup_printf("%u %u",
		journal->generation, number));
}
