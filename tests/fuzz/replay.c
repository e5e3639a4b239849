/* replay.c — an ordinary program around a fuzz target: calls it with every file of the folders that it is given, and with
 * each of them cut short by half. */
#include "fuzz.h"

#include <dirent.h>

static void run_file(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);
    HOLDS(file && bytes);
    size_t length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    for (int half = 0; half < 2; half++, length /= 2) {
        uint8_t *exact = malloc(length ? length : 1); /* so that the sanitizers see a step too far */
        HOLDS(exact);
        memcpy(exact, bytes, length);
        LLVMFuzzerTestOneInput(exact, length);
        free(exact);
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        HOLDS(folder);
        for (struct dirent *entry; (entry = readdir(folder));)
            if (entry->d_name[0] != '.') run_file(argv[i], entry->d_name), files++;
        closedir(folder);
    }
    printf("%d files replayed\n", files);
    return files ? 0 : 1;
}
