/* SPDX-License-Identifier: MIT */
/*
 * event_file.h: events in a file, with the configuration of the model that they were fed to, so that a replay has the same
 * verdict. All numbers are little-endian.
 *
 *   header   the magic, then u32 version, CPUs, rules, flags, disbelieve and the seven limits of struct tlb_limits, then u64
 *            local_start, local_end
 *   record   u8 kind, u8 flags, u16 CPU, then for each letter of tlb_event_fields(): A, V, O, T a u64;
 *            E u16 count, and count times u16 index, u64 entry, indices ascending; the other entries are 0
 *   end      u8 0, u8 0, u16 0, u64 number of records before it; nothing follows
 */
#ifndef VMM_TLB_EVENT_FILE_H
#define VMM_TLB_EVENT_FILE_H

#include "tlb/tlb.h"

#include <stdio.h>

#define EVENT_FILE_MAGIC       "KVMAPTLB"
#define EVENT_FILE_VERSION     1
#define EVENT_FILE_HEADER_SIZE 72

#define EVENT_FILE_PAGES_1G    1u
#define EVENT_FILE_STRICT      2u
#define EVENT_FILE_PHASE_SHIFT 16 /* bits 31:16: tlb_config.phase */

/* Most that a file may set as limits. */
#define EVENT_FILE_PAGES_MAX  (1u << 17)
#define EVENT_FILE_DEBTS_MAX  (1u << 20)
#define EVENT_FILE_OTHERS_MAX (1u << 12)

/* ---- reading ---- */

struct event_reader {
	const uint8_t *bytes;     /* the file; borrowed */
	size_t size, offset;      /* offset: of the next record */
	uint64_t count;           /* records that were read */
	uint64_t seq;             /* those of them that are not TLB_PAGE */
	const char *name;         /* for messages, escaped; borrowed */
	struct tlb_config config; /* from the header */
	uint64_t entries[512];    /* of the last TLB_PAGE */
};

/* Reads the header. -1: ERROR_INPUT with the name, the offset and what is wrong there. */
int event_reader_open(struct event_reader *reader, const void *bytes, size_t size, const char *name,
		      struct error *error);

/* Reads a record: 1; 0 at the end; -1 as above. The event is one that tlb_feed() takes; its entries are the reader's. */
int event_reader_next(struct event_reader *reader, struct tlb_event *out, struct error *error);

/* ---- writing ---- */

/* The file at `path` for the stream below, which is replaced. NULL: ERROR_INPUT. */
FILE *event_file_create(const char *path, struct error *error);
/* Closes it. -1: ERROR_HOST, since not all could be written. */
int event_file_close(FILE *file, const char *path, struct error *error);

struct event_writer {
	FILE *stream; /* the caller's */
	uint64_t count;
};

/* Writes the header. Errors of the stream stay in its error indicator, here and below. */
void event_writer_begin(struct event_writer *writer, FILE *stream, const struct tlb_config *config);
void event_writer_add(struct event_writer *writer, const struct tlb_event *event);
void event_writer_end(struct event_writer *writer);

/*
 * A model whose events are recorded, and the pages that it reads by tlb_config.page: each as a TLB_PAGE before the event
 * that needs it. The recorder must not move.
 */
struct event_recorder {
	struct event_writer writer;
	struct tlb *tlb;
	bool (*page)(void *context, uint64_t gpa, uint64_t entries[512]);
	void *context;
	uint16_t cpu; /* of the event that is being fed */
};

int event_recorder_create(struct event_recorder *recorder, FILE *stream, const struct tlb_config *config,
			  struct error *error);
int event_recorder_feed(struct event_recorder *recorder, const struct tlb_event *event, struct error *error);
/* Writes the end. The model stays the caller's: recorder->tlb, for tlb_destroy(). */
void event_recorder_end(struct event_recorder *recorder);

#endif
