/* SPDX-License-Identifier: MIT */
/*
 * protocol.h: messages between the kvmap process that runs a VM (server) and one that inspects it (client).
 *
 * A unix socket of type SOCK_SEQPACKET: one datagram is one message, each request gets one reply, and neither
 * side sends anything else. Both ends run on one machine, so structures are sent in native layout. Neither
 * trusts the other: any datagram is answered or ends the connection.
 */
#ifndef VMM_CONTROL_PROTOCOL_H
#define VMM_CONTROL_PROTOCOL_H

#include "view/view.h"

#include <assert.h>

#define CONTROL_MAGIC   0x314d564bu /* "KVM1" */
#define CONTROL_VERSION 2

/* Descriptors of guest memory that one reply can carry. */
#define CONTROL_FDS_MAX 8

/* Limits of one VM: kvmap makes a few memory slots and at most 64 vCPUs. */
#define CONTROL_REGIONS_MAX 512
#define CONTROL_CPUS_MAX    64

/* A pause expires after this time. */
#define CONTROL_PAUSE_MAX_NS (10ull * 1000000000)

enum control_type {
	CONTROL_HELLO = 1, /* struct control_hello */
	CONTROL_MEMORY,    /* struct control_memory, and read-only descriptors (SCM_RIGHTS) */
	CONTROL_PAUSE,     /* all vCPUs are stopped when the reply comes: struct control_cpus */
	CONTROL_RESUME,    /* struct control_paused */
	CONTROL_TRANSLATE, /* during a pause: KVM_TRANSLATE on `cpu`: a struct control_translation per address */
	CONTROL_END_HOLD, /* a VM that --hold keeps after its end exits, at once or when it is there; no payload */
};

struct control_request_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;  /* enum control_type */
	uint32_t cpu;   /* TRANSLATE */
	uint32_t count; /* TRANSLATE: addresses that follow; else 0 */
};
static_assert(sizeof(struct control_request_header) == 16, "addresses follow, aligned");

/* Addresses in one request; bounds the length of a pause. */
#define CONTROL_ADDRESSES_MAX 64

/* A whole request; header.count addresses are sent. */
struct control_request {
	struct control_request_header header;
	uint64_t addresses[CONTROL_ADDRESSES_MAX];
};

enum control_status {
	CONTROL_OK,
	CONTROL_BAD_REQUEST, /* malformed or unknown; the connection ends */
	CONTROL_DENIED,      /* the peer is another user; the connection ends */
	CONTROL_BUSY,        /* too many peers; the connection ends */
	CONTROL_NOT_PAUSED,  /* TRANSLATE or RESUME without PAUSE */
	CONTROL_EXPIRED,     /* RESUME: the pause had expired */
	CONTROL_NOT_HELD,    /* END_HOLD: the VM is not, and will not be, held at its end */
	CONTROL_FAILED,      /* KVM refused */
};

/* Start of each reply; `size` bytes of payload follow, none unless status is OK. */
struct control_reply_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type; /* of the request */
	uint32_t status;
	uint32_t size;
};

enum control_state {
	CONTROL_RUNNING,
	CONTROL_PAUSED, /* by a peer */
	CONTROL_AT_END, /* held there by --hold */
};

#define CONTROL_BUILD_ID_MAX 20

/* Strings end with a NUL and are not printable as they are: they come from the command line of the server. */
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
	struct control_region regions[CONTROL_REGIONS_MAX];
};

struct control_cpus {
	uint32_t count; /* registers of a vCPU that was never started are all zero */
	uint32_t unused;
	struct view_cpu cpus[CONTROL_CPUS_MAX];
};

struct control_paused {
	uint64_t ns; /* length of the pause */
};

struct control_translation {
	uint64_t gpa;
	uint32_t valid;
	uint32_t unused;
};

/* A whole reply; header.size bytes of payload are sent. */
struct control_reply {
	struct control_reply_header header;
	union {
		struct control_hello hello;
		struct control_memory memory;
		struct control_cpus cpus;
		struct control_paused paused;
		struct control_translation translations[CONTROL_ADDRESSES_MAX];
	};
};

#endif
