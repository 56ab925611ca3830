/* SPDX-License-Identifier: MIT */
#include "agent/console.h"
#include "agent/channel.h"
#include "agent/log.h"
#include "agent/agent.h"
#include "agent/text.h"
#include "mm/arch.h"
#include "mm/percpu.h"

static const char *status_words(u32 status)
{
#define STATUS_WORDS(name, value, wording) [KVMAP_##name] = wording,
	static const char *const words[] = { KVMAP_STATUSES(STATUS_WORDS) };

	return words[status];
}

static void text_access(u64 access)
{
#define ACCESS_WORD(NAME, value, word) [KVMAP_ACCESS_##NAME] = word,
	static const char *const words[] = { KVMAP_ACCESSES(ACCESS_WORD) };

	text(access < ARRAY_SIZE(words) ? words[access] : "?");
}

static void text_print(const struct operation *operation)
{
	if (operation->operand[0] < agent.strings_size)
		text(agent.strings + operation->operand[0]);
	if (operation->address) {
		text(" ");
		text_hex(operation->address);
	}
}

/* Text with the placeholders of kvmap/opcode.h. */
static void text_words(const char *words, const struct operation *operation)
{
	for (; *words; words++) {
		if (*words != '%') {
			text((const char[]){ *words, '\0' });
			continue;
		}
		switch (*++words) {
		case 's': text_size(operation->size); break;
		case 'a': text_hex(operation->address); break;
		case 'x':
		case 'v': text_hex(operation->result); break;
		case 'u': text_decimal(operation->result); break;
		case 'm': text_access(operation->operand[1]); break;
		case 't': text_print(operation); break;
		case 'f': text(op_pair_function(operation->operand[0])); break;
		case 'c': text_decimal(operation->operand[2]); break;
		}
	}
}

static void text_contents(const struct operation *operation)
{
	text(": ");
	text_hex(operation->found);
	text(" at ");
	text_hex(operation->address);
	text(" instead of ");
	text_hex(operation->expected);
}

static void text_ticks(u64 ticks)
{
	if (!(agent.record->flags & KVMAP_BOOT_TICKS))
		return;
	text("; ticks ");
	text_decimal(ticks);
}

/* The outcome of `pair`, which differs from run to run without an instruction counter. */
static void text_pair_ticks(const struct operation *operation)
{
	if (!(agent.record->flags & KVMAP_BOOT_TICKS))
		return;
	text(", of the pairs ");
	text_decimal(operation->result);
	text(", of the worst single operation ");
	text_decimal(operation->address);
	text(", beyond its own pages ");
	text_decimal(operation->expected);
}

void console_hello(u64 boot_ticks)
{
#define POLICY_WORD(NAME, value, word, help) [KVMAP_POLICY_##NAME] = word,
	static const char *const policies[] = { KVMAP_POLICIES(POLICY_WORD) };

	text("kvmap guest: operations ");
	text_decimal(agent.record->operation_count);
	text(", policy ");
	text(policies[agent.record->policy]);
	text_ticks(boot_ticks);
	text("\n");
}

void console_result(const struct operation *operation, u32 status, u64 ticks)
{
	const struct operation_row *row = operation_row(operation->script->opcode);
	u32 expect = operation->script->expect;

	text("line ");
	text_decimal(operation->script->line);
	text(": ");
	if (operation->script->cpu) {
		text("on cpu ");
		text_decimal(operation->script->cpu);
		text(": ");
	}
	if (operation->script->context == KVMAP_CONTEXT_INTERRUPT)
		text("in interrupt: ");
	text(row->name);
	text_words(row->echo, operation);
	if (operation->faulted) {
		text(": ");
		fault_text(&operation->fault);
	} else if (status == KVMAP_OK && *row->outcome && operation->script->opcode != KVMAP_OP_PAIR) {
		text(": ");
		text_words(row->outcome, operation);
	}
	if (KVMAP_STATUS_IS_REFUSED(status))
		text(": refused");
	if (status != KVMAP_OK) {
		text(KVMAP_STATUS_IS_FAILED(status) ? ": FAILED: " : ": ");
		text(status_words(status));
	} else if (expect == KVMAP_EXPECT_FAULT) {
		text(", as expected");
	}
	if (KVMAP_STATUS_HAS_CONTENTS(status))
		text_contents(operation);
	if (expect == KVMAP_EXPECT_REFUSED && KVMAP_STATUS_IS_REFUSED(status))
		text(", as expected");
	if (operation->detail & KVMAP_RESULT_MADE_TO_FAIL)
		text("; an allocation was made to fail");
	text_ticks(ticks);
	if (status == KVMAP_OK && operation->script->opcode == KVMAP_OP_PAIR)
		text_pair_ticks(operation);
	text("\n");
}

void console_parallel(u32 line, const struct parallel_counts *before, const struct parallel_counts *after)
{
	const struct {
		const char *label;
		u64 count;
	} counts[] = {
		{ ": end of parallel: ticks ", after->ticks - before->ticks },
		{ ", locks ", after->locks - before->locks },
		{ ", contended ", after->contended - before->contended },
		{ ", rounds ", after->rounds - before->rounds },
		{ ", interrupts ", after->ipis - before->ipis },
		{ ", pages flushed ", after->pages - before->pages },
	};

	text("line ");
	text_decimal(line);
	for (u32 i = 0; i < ARRAY_SIZE(counts); i++) {
		text(counts[i].label);
		text_decimal(counts[i].count);
	}
	text("\n");
}

static void text_counter(const char *label, u64 count)
{
	text(label);
	text_decimal(count);
}

void console_bye(void)
{
	struct vmalloc_stats stats;

	vmalloc_stats_sum(&stats);
	text("statistics");
#define TEXT_STATISTIC(structure, counter) text_counter(", " #counter " ", stats.counter);
	KVMAP_VMALLOC_STATS(TEXT_STATISTIC, vmalloc_stats)
	text_counter("; TLB shootdown IPIs ", tlb_stats.ipis);
	if (event_log_on && !channel_is_open())
		text_counter("\nevent log: nobody reads it; times that a log was overwritten: ",
			     log_overwritten());
	text_counter("\nrefused or failed against the script: ", agent.unexpected);
	text("\n");
}
