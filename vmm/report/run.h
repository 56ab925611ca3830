/* SPDX-License-Identifier: MIT */
/*
 * run.h: the report of `run`. All that it shows is borrowed.
 */
#ifndef VMM_REPORT_RUN_H
#define VMM_REPORT_RUN_H

#include "claims/claims.h"
#include "kvmap/channel.h"
#include "machine/machine.h"
#include "paging/ranges.h"
#include "program/backtrace.h"
#include "report/report.h"
#include "script/script.h"
#include "verify/verify.h"

/* The output of `show`, as text and as JSON lines; malloc'ed. */
struct report_shown {
	char *text, *json; /* NULL: nothing */
};
void report_shown_destroy(struct report_shown *shown);

/* One operation of the script, as the guest reported it. */
struct report_step {
	struct kvmap_record result;  /* KVMAP_RECORD_RESULT */
	struct kvmap_record fault;   /* the FAULT record before it; type 0 if none */
	struct kvmap_record warning; /* the WARNING record before it; type 0 if none */
	struct kvmap_record limits;  /* the LIMITS record before that; type 0 if none */
	bool verified;               /* the host verified during the operation */
	uint64_t findings;           /* of that verification */
	bool fault_checked;          /* the host walked the tables at the fault: fault_walk */
	struct walk fault_walk;
	struct report_shown shown; /* of a `show` */
};

/* How the guest died. */
struct report_death {
	struct machine_event event;
	struct view_cpu registers;
	bool has_registers;          /* a triple fault may leave none */
	struct kvmap_record oops;    /* the guest's own report; type 0 if none */
	uint64_t oops_registers[18]; /* the three REGISTERS records */
	uint8_t code[16];            /* bytes at RIP, read through the guest's tables */
	size_t code_size;
	struct backtrace backtrace; /* of those registers; without frames if it could not be taken */
	char last_words[160];       /* the last line on its serial port, escaped; "": none */
};

/* Nanoseconds. */
struct report_timing {
	uint64_t process_ns; /* exec to the opening of /dev/kvm: loading, options, script */
	uint64_t kvm_ns;     /* /dev/kvm to the first KVM_RUN */
	uint64_t guest_ns;   /* in KVM_RUN and its exits */
	uint64_t verify_ns;  /* reading claims and verifying */
	uint64_t total_ns;
};

struct history;

struct report_run {
	const char *program;
	const struct script *script;
	uint64_t memory; /* bytes */
	unsigned int cpus, nodes;
	uint32_t policy;
	uint32_t fail_allocation; /* 1-based index of the allocation that was to fail; 0: none */
	struct machine_facts facts;
	struct kvmap_record hello, bye;  /* type 0: not received */
	const struct report_step *steps; /* in the order in which they were run */
	size_t step_count;
	/* FREE_BLOCKS records, valid ones, by operation. */
	const struct kvmap_record *free_blocks;
	size_t free_block_count;
	uint64_t dropped_records;         /* invalid records of the channel */
	const struct report_death *death; /* NULL: the guest came to its end */
	const char *interrupted;          /* "SIGTERM": death is where the guest was then; else NULL */
	char interrupted_at[160];         /* the operation in progress then, escaped */
	const struct claims *claims;      /* at the end; NULL if they could not be read */
	const struct ranges *ranges;      /* of the vmalloc range at the end; may be NULL */
	const struct verdict *verdict;    /* of all verifications of the run; may be NULL */
	unsigned int verifications;       /* number of them */
	const struct history *history;    /* the guest's event log; NULL: it kept none */
	struct symbols *symbols;
	struct report_timing timing;
};

/* Whether the step was refused because of the allocation that was made to fail. Without one it never was. */
bool step_is_excused(uint32_t fail_allocation, const struct report_step *step);

/* Whether the host's own walk agrees with the fault that the guest reports. Only where fault_checked. */
bool step_walk_agrees(const struct report_step *step);

/* The whole report. JSON ends with the verdict line. */
void report_run(struct report *report, const struct report_run *run);

#endif
