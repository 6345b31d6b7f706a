/* What a power loss leaves: whatever the process syncs is copied to a folder that plays the disk (disk.py reads it).
 *
 * Environment: CUT_DISK, that folder. It holds a file for each inode, named by its number: the bytes of a file, or the
 * names in a folder, as they were when it was last synced. A sync keeps what was there when it began, and nothing when
 * the process dies in it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *disk;

void power_begin(void) { disk = getenv("CUT_DISK"); }

/* One line for each name of a folder: the inode's number, d or f, the name. */
static void names(const char *folder, int into) {
    DIR *open = opendir(folder);
    struct dirent *entry;
    struct stat found;
    while (open && (entry = readdir(open))) {
        if (fstatat(dirfd(open), entry->d_name, &found, AT_SYMLINK_NOFOLLOW)) continue;
        dprintf(into, "%lu %c %s\n", (unsigned long)found.st_ino, S_ISDIR(found.st_mode) ? 'd' : 'f', entry->d_name);
    }
    if (open) closedir(open);
}

void power_synced(int file) {
    char name[64], kept[4200], part[4300];
    struct stat found;
    if (!disk || fstat(file, &found)) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    snprintf(kept, sizeof kept, "%s/%lu", disk, (unsigned long)found.st_ino);
    snprintf(part, sizeof part, "%s.%d", kept, gettid());
    int into = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (S_ISDIR(found.st_mode)) {
        names(name, into);
    } else {
        int from = open(name, O_RDONLY | O_CLOEXEC); /* never closed: that would let go of SQLite's locks on the file */
        while (sendfile(into, from, NULL, 1 << 20) > 0) {}
    }
    close(into);
    rename(part, kept);
}

/* A name goes. Its inode is held for ever, so that no new file gets its number. */
void power_left(const char *path) {
    if (disk) (void)!open(path, O_PATH | O_CLOEXEC);
}
