/* SPDX-License-Identifier: MIT */
/*
 * session.h: one script on one machine, from boot to verdict.
 */
#ifndef VMM_SESSION_SESSION_H
#define VMM_SESSION_SESSION_H

#include "base/array.h"
#include "kvmap/layout.h"
#include "kvmap/ports.h"
#include "report/run.h"
#include "stage2/on_demand.h"
#include "verify/requests.h"

struct history;

/* A policy that no one has stated; session_settle() replaces it. */
#define SESSION_POLICY_UNSTATED UINT32_MAX

#define SESSION_SEED_DEFAULT 1

/*
 * Borrowed until session_destroy(). memory, cpus, nodes and fail_allocation of 0 are not stated on the command line, as
 * SESSION_POLICY_UNSTATED is not.
 */
struct session_config {
	const char *kvm_path; /* /dev/kvm */
	const char *program;  /* the guest's ELF file */
	const struct script *script;
	uint64_t memory; /* bytes */
	uint32_t cpus;
	uint32_t nodes;
	uint32_t policy;
	bool has_seed; /* false: not stated on the command line */
	uint64_t seed;
	bool stage2;               /* read the second stage at each verification */
	bool debug_slab;           /* KVMAP_BOOT_DEBUG_SLAB */
	bool debug_locks;          /* KVMAP_BOOT_DEBUG_LOCKS */
	bool log;                  /* KVMAP_BOOT_LOG: the guest's event log is verified, for V9 */
	const char *record_events; /* with `log`: the events of the TLB model are written there; NULL: not */
	uint32_t fail_allocation;  /* struct kvmap_boot */
	uint32_t jitter;           /* struct machine_config */
	uint64_t timeout_ns;       /* of the guest, from boot to its end */
	const char *control;       /* path of the control socket, or ACCEPT_AUTO (accept.h); NULL: none */
	bool interruptible;        /* a signal ends the guest, and the session is as it was then */
	bool hold;                 /* the VM will be held at its end */
	bool serial;               /* the guest also writes its text report to the serial port */
	bool ring;                 /* the script grows: session_start() */
	unsigned int columns;      /* of what `show` shows; 0: the default */
};

/* Where the guest of session_start() is. */
enum session_state {
	SESSION_IDLE,    /* all operations are done */
	SESSION_STOPPED, /* machine_interrupt() stopped it, maybe in an operation */
	SESSION_DEAD,    /* the guest died or lied: it cannot run again */
};

/* More than the warnings that a report shows need. */
#define FREE_BLOCKS_KEPT 1024

struct session {
	struct session_config config;
	struct machine *machine;
	struct stage2_on_demand stage2;
	struct acceptor *acceptor;        /* of config.control; NULL: none */
	struct private_file program_file; /* until the symbols take it over */
	struct symbols *symbols;
	struct claims_layout *layout;
	const struct view *view; /* of the guest when it was last stopped */
	struct walk_mode mode;
	bool has_mode; /* paging was on then */
	struct claims claims;
	struct flush_log flushes;
	struct seen_pages seen;   /* by the last verification */
	struct requests requests; /* of the script, not given back */
	struct history *history;  /* with config.log */
	FILE *events;             /* of config.record_events */
	bool has_invlpg;          /* KVM's count of INVLPG when the log began is `invlpg` */
	uint64_t invlpg;
	struct ranges ranges;
	struct verdict verdict;
	struct report_death death;
	ARRAY_OF(struct report_step) steps;
	/* By CPU, of config.cpus: FAULT and WARNING records of the operation in progress, until its RESULT. */
	struct report_step *pending;
	ARRAY_OF(struct kvmap_record) free_blocks; /* FREE_BLOCKS records, the first FREE_BLOCKS_KEPT */
	/* Operations [start, end) of the `parallel` in progress: their results come in any order. */
	size_t parallel_start, parallel_end;
	bool *parallel_done;       /* by index from parallel_start; NULL: no `parallel` is in progress */
	uint64_t refused;          /* operations that were refused without `expect refused` */
	bool reached_end;          /* the guest wrote to its exit port */
	enum session_state state;  /* of session_start() */
	size_t verified_steps;     /* those of steps before the last verification */
	size_t given;              /* operations of the script that the guest has */
	bool verified;             /* by the host, since the last RESULT */
	uint64_t findings;         /* of that verification */
	struct report_shown shown; /* of the `show` in progress, until its RESULT */
	size_t shown_size;         /* bytes of all steps */
	struct {
		bool known;
		uint64_t value;
	} variables[KVMAP_VARIABLES_MAX]; /* of the script, from RESULT records */
	struct report_run run;            /* for report_run(); borrows from the members above */
};

/*
 * Sets the script, and what the command line does not state: as the head of the script says, else the
 * default. -1: an operation of the script is for a CPU that the guest does not have; error and context are
 * as those of script_load().
 */
int session_settle(struct session_config *config, const struct script *script, char *context_out,
		   size_t context_size, struct error *error);

/* A signal ends the process at once again, before session_destroy(). */
void session_end_interruptible(struct session *session);

/*
 * Boots, runs and verifies. -1 if that could not be done. A guest that dies or lies is a finding in
 * session->verdict, not an error.
 */
int session_run(const struct session_config *config, struct session **out, struct error *error);
void session_destroy(struct session *session);

/*
 * A session whose script grows (script_append()) while the guest runs; config.ring is set. session_start() boots the
 * guest and runs the operations that the script has. session->state then says where the guest is, as after
 * session_execute() and session_continue(). config.timeout_ns is of each of these calls, 0 = none. -1: the
 * session is of no more use, but for session_destroy().
 */
int session_start(const struct session_config *config, struct session **out, struct error *error);

/* Whether the ring can take what the script has gained: ERROR_INPUT if a `parallel` has more operations, or text, than it. */
int session_check(const struct session *session, struct error *error);

/* SESSION_IDLE: the guest runs the operations that the script has gained, which session_check() has accepted. */
int session_execute(struct session *session, struct error *error);

/* The signal that came has done its work: without this, it stops what runs next, too. */
void session_forget_interrupt(struct session *session);

/* SESSION_STOPPED: the guest runs on, after session_forget_interrupt(). */
int session_continue(struct session *session, struct error *error);

/* Moves the claims that were read last to *out, which the caller destroys; the session has none then. */
void session_give_claims(struct session *session, struct claims *out);

/* "shell:7: vfree a", the operation in progress, escaped. */
void session_where(const struct session *session, char *out, size_t size);

/* Verifies the stopped guest, and adds to session->verdict. Claims that cannot be read are a finding. */
int session_verify(struct session *session, struct error *error);

/*
 * Reads the claims of the stopped guest, and the view; session_verify() does so, too. ERROR_GUEST: they cannot be
 * read.
 */
int session_read_claims(struct session *session, struct error *error);

/*
 * Ends a session of session_start(): the guest, if it is idle, ends, and is verified if `verify` is set; then
 * session->run is as after session_run().
 */
int session_finish(struct session *session, bool verify, struct error *error);

/* Sets what session->run borrows, as it is now. */
void session_fill_run(struct session *session);

/* Copies `program` into `out`; if it is NULL, the path of the guest that belongs to kvmap. */
int session_program(const char *program, bool debug_locks, char *out, size_t size, struct error *error);

#endif
