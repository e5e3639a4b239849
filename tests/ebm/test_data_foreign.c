/* Files that are no tables: told by their first bytes, with what to do about them. */
#include "binary_helpers.h"

static const struct {
    const char *bytes;
    size_t length;
    const char *message;
} files[] = {
#define FILE(bytes, message) {bytes, sizeof bytes - 1, "t: this is " message}
    FILE("\xFD" "7zXZ\0\0\4", "an xz file: unpack it first"),
    FILE("\x28\xB5\x2F\xFD\x24\x0C", "a zstd file: unpack it first"),
    FILE("BZh91AY&SY\1\2", "a bzip2 file: unpack it first"),
    FILE("\x04\x22\x4D\x18\x64", "an lz4 file: unpack it first"),
    FILE("\x5D\0\0\x80\0\xFF", "an lzma file: unpack it first"),
    FILE("7z\xBC\xAF\x27\x1C\0\4", "a 7z archive: unpack it first"),
    FILE("PK\3\4\x14\0", "a zip archive (npz, xlsx?): unpack it first, or write its table as CSV or npy first"),
    FILE("\x89HDF\r\n\x1A\n\0", "an HDF5 file: write its table as CSV or npy first"),
    FILE("MATLAB 5.0 MAT-file, x", "a MATLAB file: write its table as CSV or npy first"),
    FILE("PAR1\x15\4", "a Parquet file: write its table as CSV or npy first"),
    FILE("ARROW1\0\0", "an Arrow file: write its table as CSV or npy first"),
    FILE("\x80\4\x95", "a Python pickle: write its table as CSV or npy first"),
    FILE("X\n\0\0\0\3", "an R data file (rds): write its table as CSV or npy first"),
    FILE("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel file: write its table as CSV or npy first"),
    FILE("SQLite format 3\0", "an SQLite file: write its table as CSV or npy first"),
    FILE("<!DOCTYPE html>", "an HTML page: fetch the file itself"),
    FILE("version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS: fetch the file itself (git lfs pull)"),
    FILE("\x08\0\0\0\0\0\0\0{\"a\":1}", "a safetensors file: read it by ebm_tensors_read"),
    FILE("\xFF\xFEx\0,\0", "text in UTF-16: write it as UTF-8 first (iconv -t UTF-8)"),
    FILE("\xFE\xFF\0x\0,", "text in UTF-16: write it as UTF-8 first (iconv -t UTF-8)"),
    FILE("x\0,\0y\0\n\0", "text in UTF-16: write it as UTF-8 first (iconv -t UTF-8)"),
    FILE("\0x\0,\0y\0\n", "text in UTF-16: write it as UTF-8 first (iconv -t UTF-8)"),
    FILE("\xFF\xFE\0\0x\0\0\0", "text in UTF-32: write it as UTF-8 first (iconv -t UTF-8)"),
    FILE("\0\0\xFE\xFF\0\0\0x", "text in UTF-32: write it as UTF-8 first (iconv -t UTF-8)"),
};

Test(foreign, files_by_their_names)
{
    for (int i = 0; i < COUNT(files); i++) {
        bytes b = {.length = 0};
        gibbs_error error = {.message = ""};
        ebm_data data;
        add(&b, files[i].bytes, files[i].length);
        expect_refused(&b, GIBBS_FORMAT, files[i].message);
        cr_expect(ebm_data_parse_csv((const char *)b.at, b.length, "t", NULL, &data, &error) == GIBBS_FORMAT);
        cr_expect_str_eq(error.message, files[i].message);
    }
    bytes tar = {.length = 300};
    memcpy(tar.at + 257, "ustar", 5);
    expect_refused(&tar, GIBBS_FORMAT, "t: this is a tar archive: unpack it first");
}

/* Binary files that nobody knows; and texts that begin as some of the above do. */
Test(foreign, neither)
{
    static const char *const texts[] = {"BZh,x\n1,2\n", "PAR1,ORC\n1,2\n", "7z,X\n1,2\n", "CDF,MATLAB\n1,2\n",
                                        "ORC,FEA1\n1,2\n", "ARROW1,BZh9\n1,2\n"};
    bytes b = {.length = 0};
    add(&b, "\7\1\0\2", 4);
    expect_refused(&b, GIBBS_FORMAT,
                   "t: byte 2 is NUL: this is no text, nor another format that is known (npy, IDX, gzip)");
    for (int i = 0; i < COUNT(texts); i++) {
        ebm_data data;
        cr_expect(ebm_data_parse(texts[i], strlen(texts[i]), "t", NULL, &data, NULL) == GIBBS_OK, "%s", texts[i]);
        cr_expect(data.rows == 1 && data.cols == 2);
        ebm_data_free(&data);
    }
}
