/* What may be in a writer's way: leftovers of killed processes, long names, links that point nowhere, full disks. */
#include "ebm/data/data_private.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];
static float numbers[] = {1, 2, 3};
static const ebm_tensor tensor = {"x", GIBBS_FLOAT32, {1, {3}}, numbers};

static void enter(void)
{
    strcpy(folder, "/tmp/gibbs-write-XXXXXX");
    cr_assert(mkdtemp(folder));
    cr_assert(chdir(folder) == 0);
}

static void leave(void)
{
    cr_assert(chdir("/") == 0);
    cr_expect(rmdir(folder) == 0, "something was left in %s", folder);
}

TestSuite(write_file, .init = enter, .fini = leave);

static gibbs_status save(const char *path, gibbs_error *error) { return ebm_tensors_write(path, &tensor, 1, error); }

static void check_saved(const char *path)
{
    gibbs_error error = {GIBBS_OK, "", -1, -1};
    ebm_tensors read;
    cr_assert(save(path, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(ebm_tensors_read(path, NULL, &read, &error) == GIBBS_OK, "%s", error.message);
    cr_expect_eq(read.count, 1);
    ebm_tensors_free(&read);
}

static int make(const char *name)
{
    int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert(descriptor >= 0, "%s: %s", name, strerror(errno));
    return descriptor;
}

static bool there(const char *name)
{
    struct stat info;
    return lstat(name, &info) == 0;
}

/* The names of 200 temporary files to come are taken, by a process that had this one's number and is dead. */
Test(write_file, leftovers_are_taken_away)
{
    char name[64];
    for (int k = 0; k < 200; k++) {
        snprintf(name, sizeof name, "ck.tmp-%ld-%d", (long)getpid(), k);
        close(make(name));
    }
    close(make("ck.tmp-1-0"));
    check_saved("ck");
    unlink("ck");
}

/* What another process is writing stays, and so does what only looks like it. */
Test(write_file, others_files_stay)
{
    static const char *const kept[] = {"ck.tmp-77-1", "ck.tmp-notes", "ck.tmp-1", "ck.tmp-1-", "ck.tmp-1-2x", "ckx.tmp-1-2"};
    int held = make(kept[0]);
    cr_assert(flock(held, LOCK_EX) == 0);
    for (size_t k = 1; k < sizeof kept / sizeof *kept; k++) close(make(kept[k]));
    check_saved("ck");
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
        cr_expect(there(kept[k]), "%s is gone", kept[k]);
        unlink(kept[k]);
    }
    close(held);
    unlink("ck");
}

Test(write_file, a_name_of_255_bytes)
{
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    check_saved(name);
    cr_expect(unlink(name) == 0);
}

/* A link is followed, and stays a link, though what it points to is not there yet. */
Test(write_file, links_that_point_nowhere)
{
    gibbs_error error;
    cr_assert(mkdir("there", 0700) == 0 && symlink("there/second", "first") == 0 && symlink("ck", "there/second") == 0);
    check_saved("first");
    cr_expect(there("there/ck"));
    cr_expect(unlink("first") == 0 && unlink("there/second") == 0 && unlink("there/ck") == 0 && rmdir("there") == 0);
    cr_assert(symlink("a", "b") == 0 && symlink("b", "a") == 0);
    cr_expect_eq(save("a", &error), GIBBS_IO);
    cr_expect(strstr(error.message, "cannot write 'a': "), "%s", error.message);
    unlink("a"), unlink("b");
}

/* Nothing is left of what did not fit. */
Test(write_file, a_full_disk)
{
    gibbs_error error;
    cr_expect_eq(save("/dev/full", &error), GIBBS_IO);
    cr_expect(strstr(error.message, "No space left"), "%s", error.message);
    cr_expect_eq(save("nowhere/ck", &error), GIBBS_IO);
    cr_expect(strstr(error.message, "No such file"), "%s", error.message);
}
