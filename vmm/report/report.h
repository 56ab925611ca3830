/* SPDX-License-Identifier: MIT */
/*
 * report.h: what was found, as text for people and as JSON lines for tools (json-c). Everything that came
 * from a guest or a file is escaped here.
 *
 * JSON: one object a line, each with "schema": "kvmap/1", "type" and "seq"; addresses are hex strings. The
 * last line of `run` and `verify` is the verdict.
 */
#ifndef VMM_REPORT_REPORT_H
#define VMM_REPORT_REPORT_H

#include "paging/access.h"
#include "program/backtrace.h"
#include "claims/claims.h"
#include "inspect/diff.h"
#include "inspect/frames.h"
#include "inspect/map_check.h"
#include "inspect/map_fold.h"
#include "paging/ranges.h"
#include "program/symbols.h"
#include "paging/translated.h"
#include "program/value_tree.h"
#include "paging/walk.h"
#include "kvmap/channel.h"
#include "machine/machine.h"
#include "script/script.h"
#include "stage2/stage2.h"
#include "stage2/stats.h"
#include "verify/verify.h"
#include "control/client.h"

#include <stdio.h>
#include <sys/types.h>

enum report_format { REPORT_TEXT, REPORT_JSON };

/* Where to. `colour`: only for a terminal, and not with NO_COLOR. seq counts JSON lines. */
struct report {
	FILE *stream;
	enum report_format format;
	bool colour;
	uint64_t seq;
};

/* One operation of the script, as the guest reported it. */
struct report_step {
	struct kvmap_record result;  /* KVMAP_RECORD_RESULT */
	struct kvmap_record fault;   /* the FAULT record before it; type 0 if none */
	struct kvmap_record warning; /* the WARNING record before it; type 0 if none */
	bool fault_checked;          /* the host walked the tables at the fault ... */
	struct walk fault_walk;      /* ... and saw this */
};

/* How the guest died, if it did: everything to explain it. Borrowed. */
struct report_death {
	struct machine_event event;
	struct view_cpu registers;
	bool has_registers;          /* a triple fault may leave none */
	struct kvmap_record oops;    /* the guest's own report; type 0 if none */
	uint64_t oops_registers[18]; /* the three REGISTERS records */
	uint8_t code[16];            /* bytes at RIP, read through the guest's tables */
	size_t code_size;
	struct backtrace backtrace; /* to those registers; no frames where it could not be taken */
	char last_words[160]; /* the last line on its serial port, escaped; "" if it died without a word */
};

struct report_timing {
	uint64_t process_ns; /* exec to the opening of /dev/kvm: loading, options, script */
	uint64_t kvm_ns;     /* /dev/kvm to the first KVM_RUN */
	uint64_t guest_ns;   /* in KVM_RUN and its exits */
	uint64_t verify_ns;  /* reading claims and verifying */
	uint64_t total_ns;
};

struct report_run {
	const char *program;
	const struct script *script;
	uint64_t memory; /* bytes */
	unsigned int cpus, nodes;
	uint32_t policy;
	uint32_t fail_allocation; /* that was made to fail; 0: none */
	struct machine_facts facts;
	struct kvmap_record hello, bye;  /* type 0: never came */
	const struct report_step *steps; /* in the order they were run */
	size_t step_count;
	uint64_t dropped_records;         /* the channel was not believable */
	const struct report_death *death; /* NULL: it ended as it should */
	const struct claims *claims;      /* at the end; NULL if they could not be read */
	const struct ranges *ranges;      /* of the vmalloc range at the end; may be NULL */
	const struct verdict *verdict;    /* of all verifications of the run; may be NULL */
	unsigned int verifications;       /* how many were made */
	struct symbols *symbols;
	struct report_timing timing;
};

/* Was it refused because of the allocation that was made to fail? Believed only where one was. */
bool step_is_excused(uint32_t fail_allocation, const struct report_step *step);

/* Does the host's own walk say what the guest says of the fault? Only where fault_checked. */
bool step_walk_agrees(const struct report_step *step);

/* The whole report of `run`; JSON ends with the verdict line. */
void report_run(struct report *report, const struct report_run *run);

/* `verify SOURCE` */
void report_verdict(struct report *report, const struct verdict *verdict);

/* Borrowed. */
struct report_map {
	const struct memory_map *map;
	const struct map_lines *lines;           /* of the map; JSON wants all of them, not folded */
	const struct ranges *ranges;             /* all, shown or not */
	const struct view_cpu *cpu;              /* whose PAT register names the memory types */
	const struct map_violations *violations; /* NULL: not asked for */
	bool all;                                /* the text shows every violation, not the first ones */
};

/* `map SOURCE` */
void report_map(struct report *report, const struct report_map *input);

/* Borrowed; claims and symbols may be NULL. */
struct report_walk {
	const struct walk *walk;
	const struct walk_mode *mode;
	const struct view *view;
	unsigned int cpu;                 /* of the view: whose registers mode and rules come from */
	const struct access_rules *rules; /* of that CPU */
	const struct claims *claims;
	struct symbols *symbols;
	const struct stage2 *stage2; /* NULL: not read, and no_stage2 says why */
	const char *no_stage2;
};

/* `walk SOURCE ADDRESS`: every level, who may do what, and where the GPA goes on to. */
void report_walk(struct report *report, const struct report_walk *input);

/* `backtrace SOURCE`: one CPU. NULL backtrace: `why_not` there is none. symbols may be NULL. */
void report_backtrace(struct report *report, unsigned int cpu, const struct view_cpu *registers,
		      const struct backtrace *backtrace, const char *why_not, struct symbols *symbols);

/* `print SOURCE EXPRESSION`. The tree has a node. */
void report_print(struct report *report, const char *expression, const struct value_tree *tree);

/* `areas SOURCE`: each claim beside what the tables say, and the verdict on it. symbols may be NULL. */
struct report_areas {
	const struct claims *claims;
	const struct view *view;
	const struct walk_mode *mode;
	struct symbols *symbols;
	const struct verdict *verdict;
	const uint32_t *findings; /* by area, as in struct verify_input */
};
void report_areas(struct report *report, const struct report_areas *areas);

/* `frames SOURCE` */
struct report_frames {
	const struct frames *frames;
	const struct frame_scatter *scatter;
	const char *scatter_of; /* "4K pages of vmalloc" */
	unsigned int columns;   /* of the terminal: the map of memory is as wide as fits */
};
void report_frames(struct report *report, const struct report_frames *frames);

/* `frames SOURCE FRAME`. claims, owners and symbols may be NULL, the first two only together. */
struct report_frame {
	uint64_t pfn;
	const struct view *view;
	const struct frame_run *run; /* that holds the frame; NULL: no memory is there */
	const struct frame_reaches *reaches;
	const struct claims *claims;
	const struct owners *owners;
	struct symbols *symbols;
};
void report_frame(struct report *report, const struct report_frame *frame);

/* `diff SOURCE SOURCE`. Claims, areas and symbols may be NULL. */
struct report_diff {
	const struct diff_side *before, *after;
	const struct diff_tables *tables;
	const struct diff_frames *frames;
	bool frames_from_claims;
	const struct diff_areas *areas;       /* NULL: not both make claims */
	struct symbols *symbols;              /* of the second source */
	const struct diff_contents *contents; /* NULL: not asked for, or not both make claims */
	bool entries;                         /* list them */
	bool all;                             /* in text: list everything, runs of frames too */
};
void report_diff(struct report *report, const struct report_diff *diff);

/* A row of `bench guest`: an allocation and its free, in instructions. */
struct report_bench_row {
	char operation[32]; /* as in figures/linux-vmalloc.tsv */
	char size[16];
	uint32_t policy;
	uint64_t areas;        /* live meanwhile; 0: not the point of this row */
	uint64_t instructions; /* of a pair, on average, all purges included */
	uint64_t worst;        /* of the most expensive single operation */
	uint64_t beyond;    /* of the most expensive beyond the cheapest of its kind: not for its own pages */
	uint64_t reference; /* Linux's best; 0: unknown */
};

/* Of a thousand frees. */
struct report_bench_flushes {
	uint32_t policy;
	uint64_t frees;
	uint64_t full;       /* flushes of everything */
	uint64_t some;       /* flushes page by page */
	uint64_t pages;      /* flushed by those */
	uint64_t entries;    /* that were flushed, one way or the other: pages that had been unmapped */
	uint64_t interrupts; /* of other CPUs */
};

/* Pairs on several CPUs at the same time. Counts are of all CPUs together. */
struct report_bench_cpus {
	char operation[32];
	char size[16];
	uint32_t policy;
	unsigned int cpus;
	uint64_t pairs;
	uint64_t instructions;              /* of all of them, waiting included */
	uint64_t locks, contended;          /* acquisitions, and those that had to wait */
	uint64_t rounds, interrupts, pages; /* of flushes, and what was flushed */
};

struct report_bench {
	const struct report_bench_row *rows, *live; /* by policy */
	size_t row_count, live_count;
	const struct report_bench_flushes *flushes;
	size_t flushes_count;
	const struct report_bench_cpus *cpus; /* by policy */
	size_t cpus_count;
	const char *missing; /* "kmalloc, vmap": what Linux has figures for and this guest no function; "" */
};

void report_bench(struct report *report, const struct report_bench *bench);

/* How long a VM stood still to be looked at. */
struct report_pause {
	unsigned int count;  /* times */
	uint64_t longest_ns; /* by the VM's own clock; 0: it ended meanwhile */
	uint64_t client_ns;  /* the same, with the messages */
	uint64_t all_ns;     /* all times together */
	bool ended;          /* in the last of them */
};

/* That of process `pid`. */
void report_pause(struct report *report, uint32_t pid, const struct report_pause *pause);

/* How the VM of another program was read. */
struct report_process {
	uint32_t pid;
	bool stopped; /* its threads were, for stopped_ns; else it ran on */
	uint64_t stopped_ns;
	unsigned int old_cr3; /* vCPUs whose CR3 may be stale */
	uint64_t lost;        /* pages that could not be read */
};
void report_process(struct report *report, const struct report_process *process);

/* `ps`: one that runs, and the path by which it is reached. */
struct report_vm {
	const struct control_hello *hello;
	const char *socket;
};

void report_ps(struct report *report, const struct report_vm *vms, size_t count);

/* `stage2 SOURCE` */
struct report_stage2 {
	const struct stage2 *stage2;
	pid_t pid;                                /* whose VM it is */
	const struct stage2_effective *effective; /* NULL: the guest's own tables are not known */
	const char *no_effective;                 /* then: why */
};

/* Where it could not be read: what KVM tells anyone. */
struct report_not_seen {
	pid_t pid;
	const struct stage2_stats *stats;    /* KVM's own count of pages; NULL: not had */
	const struct view *view;             /* whose regions are the slots; NULL: not known */
	bool own;                            /* they lie in this process, so that their HVAs are known */
	const struct translated *translated; /* NULL: there is no KVM to ask, or no tables */
};
void report_stage2_not_seen(struct report *report, const struct report_not_seen *what);

/* Checks every leaf, prints, and tells what came out. */
void report_stage2(struct report *report, const struct report_stage2 *what, struct stage2_verdict *verdict);

/* `dump SOURCE FILE`, when it is written. */
struct report_dump {
	const char *file;
	const char *program; /* that the guest runs; NULL: unknown */
	const struct view *view;
	bool physical;   /* without the virtual addresses */
	size_t mappings; /* pieces of those */
	uint64_t stored; /* bytes that the file takes on its disk */
};
void report_dump(struct report *report, const struct report_dump *dump);

/* What the files of `proc SOURCE FILE` are made of: the guest's claims, but for the direct map. */
struct report_proc {
	const struct claims *claims;
	const struct ranges *direct_map; /* as walked, of the whole direct map */
	struct symbols *symbols;         /* may be NULL */
};

/*
 * The guest's accounts as the files of Linux's /proc, byte for byte in its formats (JSON: one object a row).
 * A label of meminfo that Linux does not have begins with "Kvmap".
 */
void report_meminfo(struct report *report, const struct report_proc *proc);
void report_vmallocinfo(struct report *report, const struct report_proc *proc);
void report_buddyinfo(struct report *report, const struct report_proc *proc);
void report_slabinfo(struct report *report, const struct report_proc *proc);

#endif
