/* SPDX-License-Identifier: MIT */
/*
 * test_access.c: effective access rights, against a model of its own: SDM vol. 3A 4.6.1 and 4.6.2 rule by rule, for
 * every combination of rights, mode, kind and control bits.
 */
#include "paging/access.h"
#include "paging/memory_type.h"

#include <criterion/criterion.h>

#define KEY 5

static bool model_key(const struct access_rules *rules, bool user_page, bool user_mode, bool write)
{
	uint32_t bits = rules->pkru >> 2 * KEY;

	if (!user_page || !rules->user_keys)
		return true;
	return !(bits & 1) && !(write && bits & 2 && (user_mode || rules->write_protect));
}

static bool model(const struct access_rules *rules, unsigned int rights, enum access_mode mode,
		  enum access_kind kind)
{
	bool user_page = rights & RIGHT_U, user_mode = mode == ACCESS_USER;
	bool w = rights & RIGHT_W, x = rights & RIGHT_X;

	if (user_mode && kind == ACCESS_READ)
		return user_page && model_key(rules, true, true, false);
	if (user_mode && kind == ACCESS_WRITE)
		return user_page && w && model_key(rules, true, true, true);
	if (user_mode)
		return user_page && x;
	if (kind == ACCESS_FETCH)
		return user_page ? !rules->smep && x : x;
	if (user_page && rules->smap && !rules->ac)
		return false;
	if (kind == ACCESS_WRITE && rules->write_protect && !w)
		return false;
	return model_key(rules, user_page, false, kind == ACCESS_WRITE);
}

Test(access, follows_the_manual_for_every_combination)
{
	unsigned int allowed = 0;

	for (unsigned int i = 0; i < 1u << 14; i++) {
		const struct access_rules rules = {
			.write_protect = i & 1,
			.smep = i & 2,
			.smap = i & 4,
			.ac = i & 8,
			.user_keys = i & 16,
			.has_pkru = true,
			.pkru = (i >> 5 & 3) << 2 * KEY,
		};
		unsigned int rights = (i >> 7 & 7) << 1 | RIGHT_R;
		enum access_mode mode = i >> 10 & 1;
		enum access_kind kind = (i >> 11 & 3) % 3;
		enum access_answer answer = access_may(&rules, rights, KEY, mode, kind);

		cr_assert_eq(answer == ACCESS_ALLOWED, model(&rules, rights, mode, kind),
			     "rules 0x%x, rights 0x%x, mode %d, kind %d: %s", i & 127, rights, mode, kind,
			     access_text(answer));
		allowed += answer == ACCESS_ALLOWED;
	}
	cr_expect(allowed > 1000 && allowed < 15000);
}

Test(access, says_what_forbids_it)
{
	struct access_rules rules = { .write_protect = true, .smep = true, .smap = true, .user_keys = true };
	unsigned int user = RIGHT_R | RIGHT_X | RIGHT_U;

	cr_expect_eq(access_may(&rules, RIGHT_R, 0, ACCESS_USER, ACCESS_READ), ACCESS_SUPERVISOR_PAGE);
	cr_expect_eq(access_may(&rules, RIGHT_R, 0, ACCESS_SUPERVISOR, ACCESS_WRITE), ACCESS_READ_ONLY);
	cr_expect_eq(access_may(&rules, RIGHT_R, 0, ACCESS_SUPERVISOR, ACCESS_FETCH), ACCESS_NO_EXECUTE);
	cr_expect_eq(access_may(&rules, user, 0, ACCESS_SUPERVISOR, ACCESS_FETCH), ACCESS_SMEP);
	cr_expect_eq(access_may(&rules, user, 0, ACCESS_SUPERVISOR, ACCESS_READ), ACCESS_SMAP);
	cr_expect_eq(access_may(&rules, user, 0, ACCESS_USER, ACCESS_READ), ACCESS_KEY_UNKNOWN);
	rules.has_pkru = true;
	rules.pkru = 0x55555554; /* as Linux starts a program: all but key 0 */
	cr_expect_eq(access_may(&rules, user, 0, ACCESS_USER, ACCESS_READ), ACCESS_ALLOWED);
	cr_expect_eq(access_may(&rules, user, 15, ACCESS_USER, ACCESS_READ), ACCESS_KEY);
	cr_expect_eq(access_may(&rules, user, 15, ACCESS_USER, ACCESS_FETCH), ACCESS_ALLOWED);
	rules.system_keys = true;
	cr_expect_eq(access_may(&rules, RIGHT_R, 1, ACCESS_SUPERVISOR, ACCESS_READ), ACCESS_KEY_UNKNOWN);
}

Test(access, each_answer_has_a_text)
{
	static const char *const texts[] = {
		"yes",
		"no: supervisor page",
		"no: read-only",
		"no: NX",
		"no: SMEP",
		"no: SMAP",
		"if EFLAGS.AC is set",
		"no: protection key",
		"if its key allows",
		"unknown",
	};

	for (unsigned int answer = ACCESS_ALLOWED; answer <= ACCESS_KEY_UNKNOWN + 1; answer++)
		cr_expect_str_eq(access_text(answer), texts[answer]);
}

Test(access, rules_come_from_the_registers)
{
	struct view_cpu cpu = { .cr0 = 1 << 16, .cr4 = 1 << 20 | 1 << 22, .efer = 1 << 11 };
	struct access_rules rules;

	access_rules_of_cpu(&cpu, &rules);
	cr_expect(rules.write_protect && rules.no_execute && rules.smep && !rules.smap && !rules.ac &&
		  rules.user_keys && !rules.system_keys && !rules.has_pkru);
	cpu = (struct view_cpu){ .cr4 = 1 << 21 | 1 << 24, .rflags = 1 << 18 };
	access_rules_of_cpu(&cpu, &rules);
	cr_expect(!rules.write_protect && !rules.no_execute && !rules.smep && rules.smap && rules.ac &&
		  !rules.user_keys && rules.system_keys);
}

Test(memory_type, is_what_the_pat_register_says)
{
	/* Linux's: WB, WC, UC-, UC, WB, WP, UC-, WT. */
	static const char *const names[] = { "WB", "WC", "UC-", "UC", "WB", "WP", "UC-", "WT" };
	struct view_cpu cpu = { .pat = 0x0407050600070106, .has_pat = true };

	for (unsigned int i = 0; i < 8; i++)
		cr_expect_str_eq(memory_type(memory_type_pat(&cpu), i), names[i]);
	cpu.has_pat = false;
	cr_expect_str_eq(memory_type(memory_type_pat(&cpu), 1), "WT");
	cr_expect_str_eq(memory_type(memory_type_pat(&cpu), 7), "UC");
	for (unsigned int type = 2; type < 256; type++)
		if (type < 4 || type > 7)
			cr_expect_str_eq(memory_type(type, 0), "reserved");
	cr_expect_str_eq(memory_type(0x0407050600070106, 8), "WB", "three bits choose the entry");
}

Test(access, under_smap_is_not_known_without_the_flags)
{
	const struct view_cpu cpu = { .cr4 = CR4_SMAP, .lacks = VIEW_LACKS_RFLAGS };
	struct access_rules rules;

	access_rules_of_cpu(&cpu, &rules);
	cr_expect_eq(access_may(&rules, RIGHT_R | RIGHT_U, 0, ACCESS_SUPERVISOR, ACCESS_READ),
		     ACCESS_SMAP_UNKNOWN);
	cr_expect_eq(access_may(&rules, RIGHT_R, 0, ACCESS_SUPERVISOR, ACCESS_READ), ACCESS_ALLOWED);
	cr_expect_eq(access_may(&rules, RIGHT_R | RIGHT_U, 0, ACCESS_USER, ACCESS_READ), ACCESS_ALLOWED);
}
