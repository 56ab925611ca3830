/* SPDX-License-Identifier: MIT */
/*
 * access.c: the rules of SDM vol. 3A 4.6.1 (access rights) and 4.6.2 (protection keys).
 */
#include "paging/access.h"

#include "base/x86.h"

/* PKRU has two bits for each of 16 keys. */
#define PKRU_ACCESS_DISABLE(key) (1u << 2 * (key))
#define PKRU_WRITE_DISABLE(key)  (2u << 2 * (key))

void access_rules_of_cpu(const struct view_cpu *cpu, struct access_rules *out)
{
	*out = (struct access_rules){
		.write_protect = cpu->cr0 & CR0_WP,
		.no_execute = cpu->efer & EFER_NXE,
		.smep = cpu->cr4 & CR4_SMEP,
		.smap = cpu->cr4 & CR4_SMAP,
		.ac = cpu->rflags & RFLAGS_AC,
		.ac_unknown = cpu->lacks & VIEW_LACKS_RFLAGS,
		.user_keys = cpu->cr4 & CR4_PKE,
		.system_keys = cpu->cr4 & CR4_PKS,
	};
}

/* Keys bind data accesses only; writes of the supervisor only under CR0.WP. */
static enum access_answer key_allows(const struct access_rules *rules, bool user_page, unsigned int key,
				     enum access_mode mode, enum access_kind kind)
{
	uint32_t forbidding = PKRU_ACCESS_DISABLE(key);

	if (!(user_page ? rules->user_keys : rules->system_keys))
		return ACCESS_ALLOWED;
	if (!user_page || !rules->has_pkru)
		return ACCESS_KEY_UNKNOWN;
	if (kind == ACCESS_WRITE && (mode == ACCESS_USER || rules->write_protect))
		forbidding |= PKRU_WRITE_DISABLE(key);
	return rules->pkru & forbidding ? ACCESS_KEY : ACCESS_ALLOWED;
}

static enum access_answer fetch_allowed(const struct access_rules *rules, unsigned int rights,
					enum access_mode mode)
{
	if (mode == ACCESS_SUPERVISOR && rights & RIGHT_U && rules->smep)
		return ACCESS_SMEP;
	return rights & RIGHT_X ? ACCESS_ALLOWED : ACCESS_NO_EXECUTE;
}

enum access_answer access_may(const struct access_rules *rules, unsigned int rights, unsigned int key,
			      enum access_mode mode, enum access_kind kind)
{
	bool user_page = rights & RIGHT_U;

	if (mode == ACCESS_USER && !user_page)
		return ACCESS_SUPERVISOR_PAGE;
	if (kind == ACCESS_FETCH)
		return fetch_allowed(rules, rights, mode);
	if (kind == ACCESS_WRITE && !(rights & RIGHT_W) && (mode == ACCESS_USER || rules->write_protect))
		return ACCESS_READ_ONLY;
	if (mode == ACCESS_SUPERVISOR && user_page && rules->smap && !rules->ac)
		return rules->ac_unknown ? ACCESS_SMAP_UNKNOWN : ACCESS_SMAP;
	return key_allows(rules, user_page, key, mode, kind);
}

const char *access_text(enum access_answer answer)
{
	switch (answer) {
	case ACCESS_ALLOWED: return "yes";
	case ACCESS_SUPERVISOR_PAGE: return "no: supervisor page";
	case ACCESS_READ_ONLY: return "no: read-only";
	case ACCESS_NO_EXECUTE: return "no: NX";
	case ACCESS_SMEP: return "no: SMEP";
	case ACCESS_SMAP: return "no: SMAP";
	case ACCESS_SMAP_UNKNOWN: return "if EFLAGS.AC is set";
	case ACCESS_KEY: return "no: protection key";
	case ACCESS_KEY_UNKNOWN: return "if its key allows";
	}
	return "unknown";
}
