/* SPDX-License-Identifier: MIT */
#include "server_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

char folder[] = "/tmp/kvmap-test-XXXXXX";
char path[64];
struct fake_vm fake;
struct control_server *server;

void server_world_start(void)
{
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vm", folder);
	fake_vm_make(&fake);
	cr_assert_eq(control_server_start(path, &fake.vm, &server, &error), 0, "%s", error.text);
}

void server_world_end(void)
{
	control_server_stop(server);
	cr_expect_eq(access(path, F_OK), -1, "the socket is removed");
	cr_expect_not(fake.is_held);
	cr_expect_not(fake.misused);
	fake_vm_close(&fake);
	rmdir(folder);
}

struct control_client *attach(void)
{
	struct control_client *client;

	cr_assert_eq(control_client_open(path, &client, &error), 0, "%s", error.text);
	return client;
}

int raw_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

struct control_request_header request_of(uint16_t type)
{
	return (struct control_request_header){ .magic = CONTROL_MAGIC,
						.version = CONTROL_VERSION,
						.type = type };
}
