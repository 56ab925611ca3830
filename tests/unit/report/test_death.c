/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;

static void init(void)
{
	sample_init(&sample);
	sample.run.death = &sample.death;
	sample.death.has_registers = true;
	sample.death.registers.rip = 0xffffffff80201234;
	sample.death.registers.rax = 0xabc;
	sample.death.registers.cr2 = SAMPLE_AREA + 0x10008;
	memcpy(sample.death.code, "\x0f\x0b\x90", 3);
	sample.death.code_size = 3;
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(death, .init = init, .fini = destroy);

static char *shown(void)
{
	char *text = report_text_of(&sample, REPORT_TEXT, false);

	check_lines(text);
	return text;
}

Test(death, a_triple_fault_is_explained_with_its_address_registers_and_bytes)
{
	char *text;

	sample.death.event.type = MACHINE_TRIPLE_FAULT;
	text = shown();
	check_holds(text, "The guest died\n  triple fault:");
	check_holds(text,
		    "address   0xffffc90000010008: guard page of the 64 KiB area at 0xffffc90000000000\n");
	check_holds(text, "RIP       0xffffffff80201234: image\n");
	check_holds(text, "bytes     0f 0b 90\n");
	check_holds(text, "rax    0000000000000abc");
	check_holds(text, "rip    ffffffff80201234");
	free(text);
}

Test(death, without_registers_it_says_so)
{
	char *text;

	sample.death.event.type = MACHINE_TRIPLE_FAULT;
	sample.death.has_registers = false;
	text = shown();
	check_holds(text, "the registers could not be read");
	cr_expect_null(strstr(text, "rax "));
	free(text);
}

Test(death, an_oops_shows_the_state_at_the_fault_and_not_that_at_the_end)
{
	char *text;

	sample.death.event.type = MACHINE_EXIT;
	sample.death.oops = (struct kvmap_record){
		.type = KVMAP_RECORD_OOPS,
		.status = 14,
		.value = { 0x18, 0, 0, 0xffffffff80200777, 2 },
	};
	for (uint64_t i = 0; i < 18; i++)
		sample.death.oops_registers[i] = 0x1000 + i;
	text = shown();
	check_holds(text, "oops: an unexpected fault in the kernel\n");
	check_holds(text,
		    "vector 14: #PF, page fault; error code 0x2: a write to a page that is not mapped\n");
	check_holds(text, "address   0x0000000000000018: the null page\n");
	check_holds(text, "RIP       0xffffffff80200777");
	check_holds(text, "rax    0000000000001000");
	check_holds(text, "r8     0000000000001008");
	check_holds(text, "r15    000000000000100f");
	check_holds(text, "rflags 0000000000001010");
	check_holds(text, "cr3    0000000000001011");
	free(text);
}

Test(death, every_other_way_to_die_has_its_sentence)
{
	static const struct {
		enum machine_event_type type;
		const char *sentence;
	} cases[] = {
		{ MACHINE_EMULATION_FAILURE, "emulation failure: KVM could not run this instruction" },
		{ MACHINE_MMIO, "a write of 8 bytes at GPA 0xf0000000, an address without memory" },
		{ MACHINE_PORT, "an access to I/O port 0x77, which no device has" },
		{ MACHINE_HALT, "HLT, and nothing that could wake it" },
		{ MACHINE_TIMEOUT, "stopped: it ran longer than the time limit (--timeout)" },
		{ MACHINE_KVM, "KVM gave up: exit 99" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;

		sample.death.event = (struct machine_event){
			.type = cases[i].type,
			.address = 0xf0000000,
			.length = 8,
			.is_write = true,
			.value = 0x77,
			.bytes = { 0xc4, 0xe2 },
			.byte_count = 255, /* more than there are */
			.text = "exit 99",
		};
		text = shown();
		check_holds(text, cases[i].sentence);
		free(text);
	}
}

Test(death, an_oops_names_its_exception)
{
	static const char *const names[] = {
		[0] = "#DE, division error",
		[1] = "#DB, debug",
		[2] = "NMI",
		[3] = "#BP, breakpoint",
		[4] = "#OF, overflow",
		[5] = "#BR, bound range",
		[6] = "#UD, invalid opcode",
		[7] = "#NM, no FPU",
		[8] = "#DF, double fault",
		[9] = "an interrupt without handler",
		[10] = "#TS, invalid TSS",
		[11] = "#NP, segment not present",
		[12] = "#SS, stack segment fault",
		[13] = "#GP, general protection",
		[16] = "#MF, x87 error",
		[17] = "#AC, alignment check",
		[18] = "#MC, machine check",
		[19] = "#XM, SIMD error",
		[255] = "an interrupt without handler",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[80];
		char *text;

		if (!names[i])
			continue;
		sample.death.event.type = MACHINE_EXIT;
		sample.death.oops = (struct kvmap_record){ .type = KVMAP_RECORD_OOPS, .status = (uint16_t)i };
		text = shown();
		snprintf(line, sizeof(line), "vector %u: %s; error code 0x0", i, names[i]);
		check_holds(text, line);
		free(text);
	}
}

Test(death, a_page_fault_says_what_was_tried)
{
	static const struct {
		uint64_t error_code;
		const char *sentence;
	} cases[] = {
		{ 0, "a read of a page that is not mapped" },
		{ 1, "a read against the page's rights" },
		{ 3, "a write against the page's rights" },
		{ 16, "a fetch from a page that is not mapped" },
		{ 17, "a fetch against the page's rights" },
		{ 9, "a reserved bit is set in the page tables" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;

		sample.death.event.type = MACHINE_EXIT;
		sample.death.oops = (struct kvmap_record){
			.type = KVMAP_RECORD_OOPS,
			.status = 14,
			.value = { [4] = cases[i].error_code },
		};
		text = shown();
		check_holds(text, cases[i].sentence);
		free(text);
	}
}

Test(death, as_json_an_oops_has_its_vector)
{
	struct json_object *lines, *line;
	char *text;

	sample.death.event = (struct machine_event){ .type = MACHINE_MMIO, .address = 0xf0000000 };
	sample.death.oops =
		(struct kvmap_record){ .type = KVMAP_RECORD_OOPS, .status = 13, .value = { [4] = 8 } };
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	line = line_of_type(lines, "death", 0);
	cr_assert_not_null(line);
	cr_expect_str_eq(member(line, "vector"), "13");
	cr_expect_str_eq(member(line, "error_code"), "0x8");
	cr_expect_str_eq(member(line, "gpa"), "0xf0000000");
	json_object_put(lines);
	free(text);
}

Test(death, as_json_it_is_one_line)
{
	struct json_object *lines, *line, *registers;
	char *text;

	sample.death.event.type = MACHINE_TRIPLE_FAULT;
	sample.death.registers.r15 = 0x1515;
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	line = line_of_type(lines, "death", 0);
	cr_assert_not_null(line);
	cr_expect_str_eq(member(line, "rip"), "0xffffffff80201234");
	cr_expect_str_eq(member(line, "bytes"), "0f 0b 90");
	cr_expect_str_eq(member(line, "address_is"), "guard page of the 64 KiB area at 0xffffc90000000000");
	cr_assert(json_object_object_get_ex(line, "registers", &registers));
	cr_expect_str_eq(member(registers, "r15"), "0x1515");
	cr_expect_str_eq(member(registers, "rip"), "0xffffffff80201234");
	cr_expect_null(line_of_type(lines, "death", 1));
	json_object_put(lines);
	free(text);
}

/* A death with a different value in each register: of the vCPU, and of the guest's report. */
static void number_registers(void)
{
	struct view_cpu *cpu = &sample.death.registers;
	uint64_t next = 0x100;

#define SET(name) cpu->name = next++;
	VIEW_GENERAL_REGISTERS(SET)
#undef SET
	cpu->rip = 0xffffffff80200110;
	cpu->rflags = 0x111;
	cpu->cr3 = 0x112;
	for (uint64_t i = 0; i < 18; i++)
		sample.death.oops_registers[i] = 0x200 + i;
}

#define REGISTERS_SHOWN(hundred)                                                                             \
	"      rax    0000000000000" hundred "00   rbx    0000000000000" hundred                             \
	"01   rcx    0000000000000" hundred "02\n"                                                           \
	"      rdx    0000000000000" hundred "03   rsi    0000000000000" hundred                             \
	"04   rdi    0000000000000" hundred "05\n"                                                           \
	"      rbp    0000000000000" hundred "06   rsp    0000000000000" hundred                             \
	"07   r8     0000000000000" hundred "08\n"                                                           \
	"      r9     0000000000000" hundred "09   r10    0000000000000" hundred                             \
	"0a   r11    0000000000000" hundred "0b\n"                                                           \
	"      r12    0000000000000" hundred "0c   r13    0000000000000" hundred                             \
	"0d   r14    0000000000000" hundred "0e\n"

#define SHOWN_OF_VCPU REGISTERS_SHOWN("1")
#define SHOWN_OF_OOPS REGISTERS_SHOWN("2")

/* The whole part: from its heading to the next empty line. */
static void expect_part(const char *expected)
{
	char *text = shown();
	const char *part = strstr(text, "The guest died\n"), *end;

	cr_assert_not_null(part, "%s", text);
	end = strstr(part, "\n\n");
	cr_expect_eq(end ? (size_t)(end + 1 - part) : strlen(part), strlen(expected));
	cr_expect(!strncmp(part, expected, strlen(expected)), "expected:\n%s\nfound:\n%s", expected, part);
	free(text);
}

Test(death, the_state_of_the_vcpu_is_shown_whole)
{
	number_registers();
	sample.death.event = (struct machine_event){
		.type = MACHINE_EMULATION_FAILURE,
		.bytes = { 0xc4, 0xe2, 0x7d },
		.byte_count = 3,
	};
	expect_part("The guest died\n"
		    "  emulation failure: KVM could not run this instruction\n"
		    "  RIP       0xffffffff80200110: image\n"
		    "  bytes     0f 0b 90\n"
		    "  KVM read  c4 e2 7d\n"
		    "  registers\n" SHOWN_OF_VCPU
		    "      r15    000000000000010f   rip    ffffffff80200110   rflags 0000000000000111\n"
		    "      cr3    0000000000000112\n");
}

/* A page fault in the kernel, as the guest reported it. */
static void die_of_an_oops(void)
{
	number_registers();
	sample.death.event.type = MACHINE_EXIT;
	sample.death.oops = (struct kvmap_record){
		.type = KVMAP_RECORD_OOPS,
		.status = 14,
		.value = { 0x18, 0, 0, 0xffffffff80200777, 2 },
	};
	sample.death.code_size = 0;
	sample.death.backtrace = (struct backtrace){
		.frames = { { 0xffffffff80200777, 0x1000, true }, { 0xffffffff80200888, 0x1010, false } },
		.count = 2,
	};
}

Test(death, the_state_of_an_oops_is_shown_whole)
{
	die_of_an_oops();
	expect_part(
		"The guest died\n"
		"  oops: an unexpected fault in the kernel\n"
		"  fault     vector 14: #PF, page fault; error code 0x2: a write to a page that is not mapped\n"
		"  address   0x0000000000000018: the null page\n"
		"  RIP       0xffffffff80200777: image\n"
		"  bytes     none: RIP is not mapped\n"
		"  backtrace\n"
		"      #0   0xffffffff80200777\n"
		"      #1   0xffffffff80200888\n"
		"  registers\n" SHOWN_OF_OOPS
		"      r15    000000000000020f   rip    ffffffff80200777   rflags 0000000000000210\n"
		"      cr3    0000000000000211\n");
}

Test(death, a_guest_that_gave_up_has_last_words_or_none)
{
	number_registers();
	sample.death.event.type = MACHINE_EXIT;
	sample.death.has_registers = false;
	expect_part("The guest died\n"
		    "  it gave up\n"
		    "  RIP       the registers could not be read\n");
	strcpy(sample.death.last_words, "no memory");
	expect_part("The guest died\n"
		    "  it gave up: no memory\n"
		    "  RIP       the registers could not be read\n");
}

Test(death, all_bytes_that_fit_are_shown)
{
	char *text;

	sample.death.event = (struct machine_event){ .type = MACHINE_EMULATION_FAILURE, .byte_count = 255 };
	for (unsigned int i = 0; i < sizeof(sample.death.event.bytes); i++)
		sample.death.event.bytes[i] = (uint8_t)(0xa0 + i);
	for (unsigned int i = 0; i < 16; i++)
		sample.death.code[i] = (uint8_t)i;
	sample.death.code_size = 16;
	text = shown();
	check_holds(text, "  bytes     00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n");
	check_holds(text, "  KVM read  a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae\n");
	free(text);
}

/* The whole line in JSON, after its type and number. */
static void expect_line(const char *expected)
{
	char *text = report_text_of(&sample, REPORT_JSON, false);
	const char *line = strstr(text, "\"type\":\"death\"");

	cr_assert_not_null(line, "%s", text);
	line = strstr(line, "\"what\":");
	cr_expect_eq(strcspn(line, "\n"), strlen(expected));
	cr_expect(!strncmp(line, expected, strlen(expected)), "expected:\n%s\nfound:\n%s", expected, line);
	free(text);
}

#define REGISTERS_IN_JSON(hundred)                                                                           \
	"\"registers\":{\"rax\":\"0x" hundred "00\",\"rbx\":\"0x" hundred "01\",\"rcx\":\"0x" hundred        \
	"02\",\"rdx\":\"0x" hundred "03\",\"rsi\":\"0x" hundred "04\",\"rdi\":\"0x" hundred                  \
	"05\",\"rbp\":\"0x" hundred "06\",\"rsp\":\"0x" hundred "07\",\"r8\":\"0x" hundred                   \
	"08\",\"r9\":\"0x" hundred "09\",\"r10\":\"0x" hundred "0a\",\"r11\":\"0x" hundred                   \
	"0b\",\"r12\":\"0x" hundred "0c\",\"r13\":\"0x" hundred "0d\",\"r14\":\"0x" hundred                  \
	"0e\",\"r15\":\"0x" hundred "0f\","

#define JSON_OF_VCPU REGISTERS_IN_JSON("1")
#define JSON_OF_OOPS REGISTERS_IN_JSON("2")

Test(death, as_json_it_is_whole)
{
	number_registers();
	sample.death.event =
		(struct machine_event){ .type = MACHINE_MMIO, .address = 0xf0000000, .length = 4 };
	expect_line("\"what\":\"a read of 4 bytes at GPA 0xf0000000, an address without "
		    "memory\",\"gpa\":\"0xf0000000\",\"rip\":\"0xffffffff80200110\",\"rip_is\":\"image\","
		    "\"bytes\":\"0f 0b 90\"," JSON_OF_VCPU "\"rip\":\"0xffffffff80200110\","
		    "\"rflags\":\"0x111\",\"cr3\":\"0x112\"}}");
	die_of_an_oops();
	expect_line("\"what\":\"oops: an unexpected fault in the kernel\",\"vector\":14,"
		    "\"error_code\":\"0x2\",\"address\":\"0x18\",\"address_is\":\"the null page\","
		    "\"rip\":\"0xffffffff80200777\",\"rip_is\":\"image\",\"bytes\":\"\"," JSON_OF_OOPS
		    "\"rip\":\"0xffffffff80200777\",\"rflags\":\"0x210\",\"cr3\":\"0x211\"},"
		    "\"frames\":[{\"pc\":\"0xffffffff80200777\",\"sp\":\"0x1000\",\"is\":\"\"},"
		    "{\"pc\":\"0xffffffff80200888\",\"sp\":\"0x1010\",\"is\":\"\"}],"
		    "\"end\":\"the outermost frame\"}");
	sample.death = (struct report_death){ .event.type = MACHINE_HALT };
	expect_line("\"what\":\"HLT, and nothing that could wake it\",\"registers\":{}}");
}
