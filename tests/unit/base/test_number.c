/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t parsed(const char *text)
{
	uint64_t value = 0;

	cr_assert_eq(number_parse(text, strlen(text), &value), NUMBER_OK, "%s", text);
	return value;
}

static void check_result(const char *text, enum number_result wanted)
{
	uint64_t value = 17;

	cr_expect_eq(number_parse(text, strlen(text), &value), wanted, "%s", text);
	cr_expect_eq(value, 17, "%s: the value is untouched", text);
}

Test(number, suffixes_multiply_by_powers_of_1024)
{
	cr_expect_eq(parsed("3"), 3);
	cr_expect_eq(parsed("64K"), 64ull << 10);
	cr_expect_eq(parsed("64k"), 64ull << 10);
	cr_expect_eq(parsed("2M"), 2ull << 20);
	cr_expect_eq(parsed("1g"), 1ull << 30);
	cr_expect_eq(parsed("1T"), 1ull << 40);
	cr_expect_eq(parsed("0x10K"), 16ull << 10);
}

Test(number, the_units_that_reports_print_are_understood)
{
	cr_expect_eq(parsed("4KiB"), 4096);
	cr_expect_eq(parsed("256MiB"), 256ull << 20);
	cr_expect_eq(parsed("1GiB"), 1ull << 30);
	cr_expect_eq(parsed("2TiB"), 2ull << 40);
	cr_expect_eq(parsed("0x10MiB"), 16ull << 20);
	cr_expect_eq(parsed("4kib"), 4096);
	cr_expect_eq(parsed("4Kib"), 4096);
	cr_expect_eq(parsed("256mib"), 256ull << 20);
	cr_expect_eq(parsed("1GIB"), 1ull << 30);
}

Test(number, what_is_no_number_or_too_large_is_refused)
{
	const char *const malformed[] = { "",      "K",     "KiB", "iB",   "4iB", "4KB", "4mb",
					  "4KiBs", "4kibs", "0x",  "0xiB", "-4",  "4 K" };

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		check_result(malformed[i], NUMBER_MALFORMED);
	check_result("16777216T", NUMBER_TOO_LARGE);
	check_result("16777216TiB", NUMBER_TOO_LARGE);
	check_result("18446744073709551616", NUMBER_TOO_LARGE);
	cr_expect_eq(parsed("16777215TiB"), 16777215ull << 40);
	cr_expect_eq(parsed("0xffffffffffffffff"), UINT64_MAX);
}

Test(number, offsets_have_a_sign)
{
	char text[40];

	cr_expect_str_eq(number_offset(0x200000, text, sizeof(text)), "0x200000");
	cr_expect_str_eq(number_offset(-0x40000000ull, text, sizeof(text)), "-0x40000000");
	cr_expect_str_eq(number_offset(1ull << 63, text, sizeof(text)), "-0x8000000000000000");
	cr_expect_str_eq(number_offset(0, text, sizeof(text)), "0x0");
}

static void check_address(const char *text, enum number_result wanted, uint64_t value)
{
	uint64_t found = 17;

	cr_expect_eq(number_parse_address(text, strlen(text), &found), wanted, "%s", text);
	cr_expect_eq(found, wanted == NUMBER_OK ? value : 17, "%s: 0x%lx", text, found);
}

Test(number, an_address_has_0x_or_a_hexadecimal_letter_or_16_digits)
{
	check_address("0x5", NUMBER_OK, 5);
	check_address("0x0", NUMBER_OK, 0);
	check_address("a", NUMBER_OK, 10);
	check_address("1e3", NUMBER_OK, 0x1e3);
	check_address("0000000000100000", NUMBER_OK, 0x100000);
	check_address("9999999999999999", NUMBER_OK, 0x9999999999999999);
	check_address("4M", NUMBER_OK, 4 << 20);
}

Test(number, digits_alone_are_no_address_not_even_one)
{
	check_address("0", NUMBER_AMBIGUOUS, 0);
	check_address("5", NUMBER_AMBIGUOUS, 0);
	check_address("400000", NUMBER_AMBIGUOUS, 0);
	check_address("18446744073709551615", NUMBER_AMBIGUOUS, 0);
	check_address("18446744073709551616", NUMBER_TOO_LARGE, 0);
	check_address("fffffffffffffffff", NUMBER_TOO_LARGE, 0);
	check_address("0x10000000000000000", NUMBER_TOO_LARGE, 0);
	check_address("", NUMBER_MALFORMED, 0);
	check_address("banana", NUMBER_MALFORMED, 0);
}
