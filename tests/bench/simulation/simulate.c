/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mkdir-parents.h"
#include "strnum.h"
#include "quota-text.h"
#include "chance.h"
#include "sim-user.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* 2026-11-26 00:00 UTC */
#define MIDNIGHT 1795651200
/* Every user polls once in this many seconds: a round. */
#define ROUND 300
#define WITH_MAIL_PERCENT 3
#define QUOTA "500M/day 5G/month"
/* What mailboxes have at first, and what comes at once. */
#define MAX_HELD 80
#define MAX_NEW 3
/* Users in one folder. */
#define FOLDER 1000
/* A stream of chance that is none of a round. */
#define NO_ROUND UINT32_MAX

struct simulation {
	const char *dir;
	uint32_t users;
	uint64_t seed;
	bool fsync;
	/* the users in the order in which they poll in a round */
	uint32_t *order;
	struct pop3_quota_limits limits;
};

/* What sessions of a kind have cost. */
struct cost {
	struct sim_counts counts;
	double wall, cpu;
};

static double seconds(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		i_fatal("clock_gettime() failed: %m");
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static const char *user_path(const struct simulation *sim, uint32_t user)
{
	return t_strdup_printf("%s/%03u/user%06u", sim->dir, user / FOLDER,
			       user);
}

static void make_users(const struct simulation *sim)
{
	struct chance chance;
	uint32_t i;

	for (i = 0; i < sim->users; i++) T_BEGIN {
		const char *home = user_path(sim, i);
		const struct sim_user user = {
			.path = t_strconcat(home, "/pop3-policy", NULL),
			.fsync = sim->fsync,
		};

		if (mkdir_parents(home, 0700) < 0)
			i_fatal("mkdir(%s) failed: %m", home);
		chance_init(&chance, sim->seed, i, NO_ROUND);
		sim_user_make(&user, 1 + chance_below(&chance, MAX_HELD),
			      MIDNIGHT - ROUND);
	} T_END;
}

/* Most mail is small, and some of it is not. */
static uint32_t mail_size(struct chance *chance)
{
	return 1000 + (chance_below(chance, 8000) <<
		       chance_below(chance, 8));
}

static void
run_session(const struct simulation *sim, uint32_t number, uint32_t place,
	    uint32_t round, bool with_mail, struct cost *cost)
{
	const struct sim_user user = {
		.path = t_strconcat(user_path(sim, number), "/pop3-policy",
				    NULL),
		.fsync = sim->fsync,
	};
	time_t now = MIDNIGHT + round * ROUND +
		(uint64_t)place * ROUND / sim->users;
	uint32_t sizes[MAX_NEW];
	struct chance chance;
	unsigned int i, count;

	chance_init(&chance, sim->seed, number, round);
	if ((chance_below(&chance, 100) < WITH_MAIL_PERCENT) != with_mail)
		return;
	if (!with_mail) {
		sim_user_poll(&user, &cost->counts);
		return;
	}
	count = 1 + chance_below(&chance, MAX_NEW);
	for (i = 0; i < count; i++)
		sizes[i] = mail_size(&chance);
	sim_user_fetch(&user, sizes, count, &sim->limits, now, &cost->counts);
}

/* All sessions of one kind: apart from the others, so that what they cost is
   known. */
static void
run_half_round(const struct simulation *sim, uint32_t round, bool with_mail,
	       struct cost *cost)
{
	double wall = seconds(CLOCK_MONOTONIC);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	uint32_t i;

	for (i = 0; i < sim->users; i++) T_BEGIN {
		run_session(sim, sim->order[i], i, round, with_mail, cost);
	} T_END;
	cost->wall += seconds(CLOCK_MONOTONIC) - wall;
	cost->cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static void print_cost(const char *name, const struct cost *cost)
{
	const struct sim_counts *counts = &cost->counts;

	printf("\"%s\":{\"sessions\":%"PRIu64",\"read\":%"PRIu64
	       ",\"read_brief\":%"PRIu64",\"written\":%"PRIu64
	       ",\"messages\":%"PRIu64",\"refused\":%"PRIu64
	       ",\"seconds\":%.3f,\"cpu_seconds\":%.3f}",
	       name, counts->sessions, counts->read, counts->read_brief,
	       counts->written, counts->messages, counts->refused, cost->wall,
	       cost->cpu);
}

/* Not by getrusage(): that has the memory of who has started the program, too. */
static unsigned int peak_memory_kb(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned int kb = 0;
	char line[256];

	if (status == NULL)
		i_fatal("fopen(/proc/self/status) failed: %m");
	while (fgets(line, sizeof(line), status) != NULL) {
		if (sscanf(line, "VmHWM: %u kB", &kb) == 1)
			break;
	}
	(void)fclose(status);
	return kb;
}

static void
run_rounds(const struct simulation *sim, uint32_t first, uint32_t rounds)
{
	struct cost polls, fetches;
	uint32_t round;

	i_zero(&polls);
	i_zero(&fetches);
	for (round = first; round < first + rounds; round++) {
		run_half_round(sim, round, FALSE, &polls);
		run_half_round(sim, round, TRUE, &fetches);
	}
	printf("{");
	print_cost("polls", &polls);
	printf(",");
	print_cost("fetches", &fetches);
	printf(",\"memory_kb\":%u}\n", peak_memory_kb());
}

static uint32_t number(const char *text, uint32_t most)
{
	uint32_t n;

	if (str_to_uint32(text, &n) < 0 || n > most)
		i_fatal("%s: expected a number of at most %u", text, most);
	return n;
}

static void simulate(struct simulation *sim, char *const *rounds)
{
	struct chance chance;
	const char *error;

	if (pop3_quota_limits_parse(QUOTA, &sim->limits, &error) < 0)
		i_fatal("%s", error);
	if (rounds == NULL) {
		make_users(sim);
		return;
	}
	sim->order = i_new(uint32_t, sim->users);
	chance_init(&chance, sim->seed, NO_ROUND, NO_ROUND);
	chance_shuffle(&chance, sim->order, sim->users);
	run_rounds(sim, number(rounds[0], 100000), number(rounds[1], 100000));
	i_free(sim->order);
}

int main(int argc, char *argv[])
{
	struct simulation sim;

	if (argc != 5 && argc != 7) {
		fprintf(stderr, "usage: simulate DIR USERS SEED yes|no "
			"[FIRST-ROUND ROUNDS]\n"
			"Makes the states of the users in DIR, or lets all of "
			"them poll so many rounds.\n"
			"yes: files are synced.\n");
		return 2;
	}
	if (setenv("TZ", "UTC", 1) < 0)
		i_fatal("setenv() failed: %m");
	lib_init();
	i_zero(&sim);
	sim.dir = argv[1];
	sim.users = number(argv[2], 1000000);
	sim.seed = number(argv[3], UINT32_MAX);
	sim.fsync = strcmp(argv[4], "yes") == 0;
	simulate(&sim, argc == 7 ? argv + 5 : NULL);
	lib_deinit();
	return 0;
}
