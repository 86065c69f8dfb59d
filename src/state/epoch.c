/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "epoch.h"

static void
ranges_copy(pool_t pool, const ARRAY_TYPE(seq_range) *src,
	    ARRAY_TYPE(seq_range) *dest_r)
{
	p_array_init(dest_r, pool, 4);
	if (array_is_created(src))
		array_append_array(dest_r, src);
}

void policy_epoch_copy(pool_t pool, const struct policy_epoch *src,
		       struct policy_epoch *dest_r)
{
	unsigned int i;

	*dest_r = *src;
	dest_r->uidl_format = p_strdup(pool, src->uidl_format);
	p_array_init(&dest_r->told, pool, 4);
	if (array_is_created(&src->told))
		array_append_array(&dest_r->told, &src->told);
	ranges_copy(pool, &src->recorded, &dest_r->recorded);
	ranges_copy(pool, &src->downloaded, &dest_r->downloaded);
	ranges_copy(pool, &src->stored, &dest_r->stored);
	for (i = 0; i < src->anchors_count; i++) {
		struct policy_anchor *anchor = &dest_r->anchors[i];

		anchor->guid = p_strdup(pool, anchor->guid);
		anchor->hash = p_strdup(pool, anchor->hash);
		anchor->uidl = p_strdup(pool, anchor->uidl);
	}
}
