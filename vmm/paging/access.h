/* SPDX-License-Identifier: MIT */
/*
 * access.h: effective access rights of a page (SDM vol. 3A 4.6, APM vol. 2 5.6): those of the tables, restricted
 * or extended by the control registers.
 */
#ifndef VMM_PAGING_ACCESS_H
#define VMM_PAGING_ACCESS_H

#include "paging/walk.h"

/* The bits of a vCPU's registers that decide about an access (SDM volume 3A, 4.6). */
struct access_rules {
	bool write_protect; /* CR0.WP: R/W = 0 binds the supervisor too */
	bool no_execute;    /* EFER.NXE */
	bool smep, smap;    /* CR4 */
	bool ac;            /* EFLAGS.AC: lifts SMAP */
	bool ac_unknown;    /* the source does not have EFLAGS */
	bool user_keys;     /* CR4.PKE: PKRU binds data accesses to user pages */
	bool system_keys;   /* CR4.PKS: IA32_PKRS binds those to supervisor pages. No source has that register
			     */
	bool has_pkru;
	uint32_t pkru;
};

enum access_mode { ACCESS_SUPERVISOR, ACCESS_USER };
enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

enum access_answer {
	ACCESS_ALLOWED,
	ACCESS_SUPERVISOR_PAGE, /* U/S is 0 at some level */
	ACCESS_READ_ONLY,       /* R/W is 0 at some level */
	ACCESS_NO_EXECUTE,
	ACCESS_SMEP,
	ACCESS_SMAP,
	ACCESS_SMAP_UNKNOWN, /* SMAP forbids it unless EFLAGS.AC is set, which is not known */
	ACCESS_KEY,          /* the page's protection key forbids it */
	ACCESS_KEY_UNKNOWN,  /* allowed, unless a register forbids it that is not known: PKRU or IA32_PKRS */
};

/* has_pkru is false: PKRU is none of the registers that a view has. */
void access_rules_of_cpu(const struct view_cpu *cpu, struct access_rules *out);

/*
 * Whether an access to a mapped page goes through. rights: effective, enum rights. key: bits 62:59 of the
 * entry that maps the page. Explicit accesses: SMAP binds the implicit ones of the supervisor (to descriptor
 * tables ...) whatever EFLAGS.AC says.
 */
enum access_answer access_may(const struct access_rules *rules, unsigned int rights, unsigned int key,
			      enum access_mode mode, enum access_kind kind);

/* "yes", "no: supervisor page", "no: SMAP" ... */
const char *access_text(enum access_answer answer);

#endif
