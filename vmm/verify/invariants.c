/* SPDX-License-Identifier: MIT */
/*
 * invariants.c: the names and rules of the invariants, and the functions that check them.
 */
#include "verify/check.h"

#define CLAIMS true
#define TABLES false
const struct invariant invariants[INVARIANTS] = {
#define INVARIANT(number, function, needs_claims, severity, next, rule)                                      \
	[(number)-1] = { "V" #number, rule, check_##function, needs_claims, SEVERITY_##severity, next },
	INVARIANT_TABLE(INVARIANT)
#undef INVARIANT
};

const char *invariant_name(unsigned int invariant)
{
	if (invariant == 0)
		return "V0";
	return invariant <= INVARIANTS ? invariants[invariant - 1].name : "V?";
}

const char *invariant_text(unsigned int invariant)
{
	if (invariant == 0)
		return "every operation of the script does what the script says";
	return invariant <= INVARIANTS ? invariants[invariant - 1].text : "";
}

const char *invariant_severity(unsigned int invariant)
{
	static const char *const names[] = { "minor", "major", "critical" };

	/* An operation of the script that failed may have any cause. */
	return names[invariant && invariant <= INVARIANTS ? invariants[invariant - 1].severity
							  : SEVERITY_MAJOR];
}

const char *invariant_next(unsigned int invariant)
{
	return invariant && invariant <= INVARIANTS ? invariants[invariant - 1].next : "";
}
