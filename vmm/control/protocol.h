/* SPDX-License-Identifier: MIT */
/*
 * protocol.h: what two kvmap processes say to each other: one runs a VM, the other wants to look at it.
 *
 * A unix socket of type SOCK_SEQPACKET: one datagram is one message, a request is answered by one reply, and
 * neither side sends anything else. Both ends are programs on one machine, so that structures go as they are.
 * Neither trusts the other: a datagram of any length and content is answered or ends the connection.
 */
#ifndef VMM_CONTROL_PROTOCOL_H
#define VMM_CONTROL_PROTOCOL_H

#include "view/view.h"

#include <assert.h>

#define CONTROL_MAGIC   0x314d564bu /* "KVM1" */
#define CONTROL_VERSION 2

/* Descriptors of guest memory that one reply can carry. */
#define CONTROL_FDS_MAX 8

/* A pause that nobody ends, ends by itself after this. */
#define CONTROL_PAUSE_MAX_NS (10ull * 1000000000)

enum control_type {
	CONTROL_HELLO = 1, /* what VM is this: struct control_hello */
	CONTROL_MEMORY,    /* struct control_memory, and descriptors (SCM_RIGHTS) that can only be read */
	CONTROL_PAUSE,     /* all vCPUs stand still when the reply comes: struct control_cpus */
	CONTROL_RESUME,    /* struct control_paused */
	CONTROL_TRANSLATE, /* in a pause: KVM_TRANSLATE of addresses on `cpu`: struct control_translation of
			      each */
	CONTROL_LET_GO,    /* a VM that --hold keeps at its end goes on to exit; no payload */
};

struct control_request {
	uint32_t magic;
	uint16_t version;
	uint16_t type;  /* enum control_type */
	uint32_t cpu;   /* TRANSLATE */
	uint32_t count; /* TRANSLATE: addresses that follow; else 0 */
};
static_assert(sizeof(struct control_request) == 16, "addresses follow, aligned");

/* Addresses of one request: a pause has no time for more. */
#define CONTROL_ADDRESSES_MAX 64

/* A request as a whole. */
struct control_question {
	struct control_request request;
	uint64_t addresses[CONTROL_ADDRESSES_MAX];
};

enum control_status {
	CONTROL_OK,
	CONTROL_BAD_REQUEST, /* not understood; the connection ends */
	CONTROL_DENIED,      /* the peer is another user; the connection ends */
	CONTROL_BUSY,        /* too many peers; the connection ends */
	CONTROL_NOT_PAUSED,  /* TRANSLATE or RESUME without PAUSE */
	CONTROL_EXPIRED,     /* RESUME: the pause had ended by itself */
	CONTROL_NOT_HELD,    /* LET_GO: it does not stand at its end */
	CONTROL_FAILED,      /* KVM refused */
};

/* Begins each reply; `size` bytes follow: the payload if status is OK, else nothing. */
struct control_reply {
	uint32_t magic;
	uint16_t version;
	uint16_t type; /* of the request */
	uint32_t status;
	uint32_t size;
};

enum control_state {
	CONTROL_RUNNING,
	CONTROL_PAUSED, /* by a peer */
	CONTROL_AT_END, /* --hold keeps it there */
};

#define CONTROL_BUILD_ID_MAX 20

/* Strings end with a NUL; they came from the command line of the other process. */
struct control_hello {
	uint32_t pid;
	uint32_t cpus;
	uint32_t state;         /* enum control_state */
	uint32_t build_id_size; /* 0: the program has none */
	uint64_t memory;        /* bytes */
	uint64_t since_ns;      /* CLOCK_REALTIME */
	uint8_t build_id[CONTROL_BUILD_ID_MAX];
	uint8_t unused[4];
	char program[4096]; /* absolute path of the guest's ELF file */
	char script[1024];
};

struct control_region {
	uint64_t gpa, size, offset;
	uint32_t fd; /* index of the descriptor */
	uint32_t unused;
};

struct control_memory {
	uint32_t region_count, fd_count;
	uint32_t physical_bits;
	uint32_t pages_1g; /* 0 or 1 */
	struct control_region regions[VIEW_REGIONS_MAX];
};

struct control_cpus {
	uint32_t count; /* those that were never started have all-zero registers */
	uint32_t unused;
	struct view_cpu cpus[VIEW_CPUS_MAX];
};

struct control_paused {
	uint64_t ns; /* from the first vCPU that was stopped */
};

struct control_translation {
	uint64_t gpa;
	uint32_t valid;
	uint32_t unused;
};

/* A reply as a whole. */
struct control_answer {
	struct control_reply reply;
	union {
		struct control_hello hello;
		struct control_memory memory;
		struct control_cpus cpus;
		struct control_paused paused;
		struct control_translation translations[CONTROL_ADDRESSES_MAX];
	};
};

#endif
