/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "read-full.h"
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Runs a fuzzer without libFuzzer: on the files that are given, or on the
   corpus and on changed inputs of it, which are the same each time. */

#define RUNS 100000
/* of the processor */
#define SECONDS 2
#define CHANGES_MAX 6
#define PIECE_MAX_SIZE 64
#define INPUT_MAX_SIZE 16384
#define SEED_MAX_SIZE (1024 * 1024)

static ARRAY(buffer_t *) seeds;
static const buffer_t *current;
static uint64_t rnd_state = 88172645463325252u;

static unsigned int rnd(unsigned int below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (unsigned int)(rnd_state >> 32) % below;
}

static void run(const buffer_t *input)
{
	current = input;
	(void)LLVMFuzzerTestOneInput(input->data, input->used);
}

/* Keep the input that the program dies of. */
static void died(int signo)
{
	static const char prefix[] = "the input is in ", suffix[] = "\n";
	const char *const path = "fuzz-failed-input";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd != -1 && current != NULL &&
	    write(fd, current->data, current->used) != -1 &&
	    write(STDERR_FILENO, prefix, sizeof(prefix) - 1) != -1 &&
	    write(STDERR_FILENO, path, strlen(path)) != -1 &&
	    write(STDERR_FILENO, suffix, sizeof(suffix) - 1) != -1)
		close(fd);
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
}

static buffer_t *load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	buffer_t *input;

	if (fd == -1 || fstat(fd, &st) < 0 || st.st_size > SEED_MAX_SIZE)
		i_fatal("open(%s) failed, or it is too large: %m", path);
	input = buffer_create_dynamic(default_pool, st.st_size + 1);
	if (st.st_size > 0 &&
	    read_full(fd, buffer_append_space_unsafe(input, st.st_size),
		      st.st_size) <= 0)
		i_fatal("read(%s) failed: %m", path);
	i_close_fd(&fd);
	return input;
}

/* By name, as runs shall not differ. */
static void load_seeds(const char *dir)
{
	struct dirent **entries;
	buffer_t *seed;
	int i, count;

	count = scandir(dir, &entries, NULL, alphasort);
	if (count < 0)
		i_fatal("scandir(%s) failed: %m", dir);
	for (i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			seed = load(t_strconcat(dir, "/", entries[i]->d_name,
						NULL));
			array_push_back(&seeds, &seed);
		}
		free(entries[i]);
	}
	free(entries);
	if (array_is_empty(&seeds))
		i_fatal("%s has no inputs", dir);
}

static const buffer_t *random_seed(void)
{
	return array_idx_elem(&seeds, rnd(array_count(&seeds)));
}

/* Put a piece of a seed somewhere. */
static void insert_piece(buffer_t *input)
{
	const buffer_t *seed = random_seed();
	size_t start, size;

	if (seed->used == 0)
		return;
	start = rnd(seed->used);
	size = 1 + rnd(I_MIN(seed->used - start, PIECE_MAX_SIZE));
	buffer_insert(input, rnd(input->used + 1),
		      CONST_PTR_OFFSET(seed->data, start), size);
}

static void delete_piece(buffer_t *input)
{
	size_t start = rnd(input->used);

	buffer_delete(input, start, 1 + rnd(I_MIN(input->used - start,
						  PIECE_MAX_SIZE)));
}

static void change_octet(buffer_t *input)
{
	static const char octets[] =
		"{}[]\",:\\\n\r =$.-_%/09azAZ\x7f\xff\xc3\xa4\x01";
	unsigned char *data = buffer_get_modifiable_data(input, NULL);
	const size_t pos = rnd(input->used);

	switch (rnd(4)) {
	case 0:
		data[pos] ^= 1 << rnd(8);
		break;
	case 1:
		data[pos] = rnd(256);
		break;
	case 2:
		data[pos] += rnd(2) == 0 ? 1 : -1;
		break;
	default:
		/* with the NUL at its end */
		data[pos] = octets[rnd(sizeof(octets))];
		break;
	}
}

static void change(buffer_t *input)
{
	unsigned int count;

	for (count = 1 + rnd(CHANGES_MAX); count > 0; count--) {
		if (input->used == 0 || rnd(4) == 0)
			insert_piece(input);
		else if (rnd(4) == 0)
			delete_piece(input);
		else
			change_octet(input);
	}
	if (input->used > INPUT_MAX_SIZE)
		buffer_set_used_size(input, INPUT_MAX_SIZE);
}

static unsigned int run_changed(void)
{
	/* not by time(), which is a fuzzer's own in some */
	const clock_t end = clock() + SECONDS * CLOCKS_PER_SEC;
	buffer_t *input = buffer_create_dynamic(default_pool, 1024);
	unsigned int runs;

	for (runs = 0; runs < RUNS && clock() < end; runs++) {
		buffer_set_used_size(input, 0);
		buffer_append_buf(input, random_seed(), 0, SIZE_MAX);
		change(input);
		run(input);
	}
	current = NULL;
	buffer_free(&input);
	return runs;
}

static void run_files(char *const *paths)
{
	buffer_t *input;

	for (; *paths != NULL; paths++) {
		input = load(*paths);
		run(input);
		buffer_free(&input);
	}
}

static void run_corpus(const char *dir)
{
	buffer_t *const *seed;

	i_array_init(&seeds, 16);
	load_seeds(dir);
	array_foreach(&seeds, seed) {
		run(*seed);
	}
	printf("%s: %u inputs, and %u changed ones\n", fuzz_corpus,
	       array_count(&seeds), run_changed());
	array_foreach(&seeds, seed) {
		buffer_t *input = *seed;

		buffer_free(&input);
	}
	array_free(&seeds);
}

int main(int argc ATTR_UNUSED, char *argv[])
{
	const char *dir = getenv("FUZZ_CORPUS");

	fuzz_init();
	(void)signal(SIGABRT, died);
	(void)signal(SIGSEGV, died);
	if (argv[1] != NULL)
		run_files(argv + 1);
	else if (dir != NULL)
		run_corpus(t_strconcat(dir, "/", fuzz_corpus, NULL));
	else
		i_fatal("FUZZ_CORPUS is not set, and no file was given");
	lib_deinit();
	return 0;
}
