/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"
#include "maildrop.h"
#include "epoch-check.h"
#include "new-epoch.h"

#include <time.h>

/* The time, but always more than any before. The index cache may have UIDLs of
   epochs that nobody knows of any more. */
static uint32_t next_number(const struct policy_epoch *old,
			    uint32_t journal_epoch)
{
	uint32_t last = I_MAX(journal_epoch, old == NULL ? 0 : old->number);

	return I_MAX(last + 1, (uint32_t)time(NULL));
}

void maildrop_new_epoch(const struct maildrop *drop,
			const struct policy_epoch *old, uint32_t journal_epoch,
			pool_t pool, struct policy_epoch *epoch_r)
{
	i_zero(epoch_r);
	epoch_r->number = next_number(old, journal_epoch);
	epoch_r->uidvalidity = drop->uidvalidity;
	epoch_r->uidnext = drop->uidnext;
	epoch_r->listed = drop->listed;
	epoch_r->uidl_format = p_strdup(pool, maildrop_format_name(drop));
	epoch_r->reuse_xuidl = drop->rules.reuse_xuidl;
	p_array_init(&epoch_r->told, pool, POLICY_EPOCH_MAX_TOLD);
	p_array_init(&epoch_r->recorded, pool, 8);
	p_array_init(&epoch_r->downloaded, pool, 8);
	p_array_init(&epoch_r->stored, pool, 8);
	p_array_init(&epoch_r->devices, pool, 2);
	if (old != NULL) {
		array_append_array(&epoch_r->told, &old->told);
		epoch_r->journal_generation = old->journal_generation;
		epoch_r->imported = old->imported;
		epoch_r->unsure_below = old->unsure_below;
		epoch_r->unsure_until = old->unsure_until;
		epoch_r->retention = old->retention;
	}
	epoch_set_told(drop, epoch_r);
}
