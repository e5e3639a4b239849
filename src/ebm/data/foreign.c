/* foreign.c — files that are no tables this library reads, told by their first bytes, with what to do about them. */
#include "array.h"

#include <ctype.h>
#include <string.h>

enum { TEXT_LOOKED_AT = 4096, PAIRS_LOOKED_AT = 32 };
#define UNPACK "unpack it first"
#define EXPORT "write its table as CSV or npy first"
#define RECODE "write it as UTF-8 first (iconv -t UTF-8)"

static const struct {
    const char *magic;
    size_t length;
    int64_t at;
    const char *name, *remedy;
} foreign[] = {
    {"\xFD\x37zXZ", 5, 0, "an xz file", UNPACK},
    {"\x5D\0\0", 3, 0, "an lzma file", UNPACK},
    {"\x28\xB5\x2F\xFD", 4, 0, "a zstd file", UNPACK},
    {"BZh", 3, 0, "a bzip2 file", UNPACK},
    {"\x04\x22\x4D\x18", 4, 0, "an lz4 file", UNPACK},
    {"\x1f\x9d", 2, 0, "a compress file", UNPACK},
    {"7z\xBC\xAF\x27\x1C", 6, 0, "a 7z archive", UNPACK},
    {"Rar!\x1A\7", 6, 0, "a rar archive", UNPACK},
    {"PK\3\4", 4, 0, "a zip archive (npz, xlsx?)", UNPACK ", or " EXPORT},
    {"PK\5\6", 4, 0, "an empty zip archive", UNPACK},
    {"ustar", 5, 257, "a tar archive", UNPACK},
    {"\x89HDF\r\n\x1A\n", 8, 0, "an HDF5 file", EXPORT},
    {"\x89HDF\r\n\x1A\n", 8, 512, "an HDF5 file", EXPORT},
    {"MATLAB 5.0 MAT-file", 19, 0, "a MATLAB file", EXPORT},
    {"PAR1", 4, 0, "a Parquet file", EXPORT},
    {"ARROW1", 6, 0, "an Arrow file", EXPORT},
    {"FEA1", 4, 0, "a Feather file", EXPORT},
    {"ORC", 3, 0, "an ORC file", EXPORT},
    {"Obj\1", 4, 0, "an Avro file", EXPORT},
    {"CDF\1", 4, 0, "a netCDF file", EXPORT},
    {"CDF\2", 4, 0, "a netCDF file", EXPORT},
    {"CDF\5", 4, 0, "a netCDF file", EXPORT},
    {"SIMPLE  =", 9, 0, "a FITS file", EXPORT},
    {"SQLite format 3", 16, 0, "an SQLite file", EXPORT},
    {"<stata_dta>", 11, 0, "a Stata file", EXPORT},
    {"$FL2", 4, 0, "an SPSS file", EXPORT},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, 0, "an old Excel file", EXPORT},
    {"RDX2\n", 5, 0, "an R data file", EXPORT},
    {"RDX3\n", 5, 0, "an R data file", EXPORT},
    {"X\n\0\0\0", 5, 0, "an R data file (rds)", EXPORT},
    {"\x80\2", 2, 0, "a Python pickle", EXPORT},
    {"\x80\3", 2, 0, "a Python pickle", EXPORT},
    {"\x80\4", 2, 0, "a Python pickle", EXPORT},
    {"\x80\5", 2, 0, "a Python pickle", EXPORT},
    {"\x89PNG\r\n", 6, 0, "a PNG picture", EXPORT},
    {"%PDF-", 5, 0, "a PDF document", EXPORT},
    {"<?xml", 5, 0, "an XML document", EXPORT},
    {"<!DOCTYPE", 9, 0, "an HTML page", "fetch the file itself"},
    {"<html", 5, 0, "an HTML page", "fetch the file itself"},
    {"version https://git-lfs", 23, 0, "a pointer of Git LFS", "fetch the file itself (git lfs pull)"},
    {"\0{\"", 3, 7, "a safetensors file", "read it by ebm_tensors_read"},
    {"\xFF\xFE\0\0", 4, 0, "text in UTF-32", RECODE},
    {"\0\0\xFE\xFF", 4, 0, "text in UTF-32", RECODE},
    {"\xFF\xFE", 2, 0, "text in UTF-16", RECODE},
    {"\xFE\xFF", 2, 0, "text in UTF-16", RECODE},
};

/* Two bytes a character, without a mark: of most pairs the first is 0 and the second never, or the other way. */
static bool is_utf16(const ebm_bytes *f)
{
    int64_t pairs = f->length / 2 < PAIRS_LOOKED_AT ? f->length / 2 : PAIRS_LOOKED_AT, zeros[2] = {0, 0};
    for (int64_t i = 0; i < 2 * pairs; i++) zeros[i % 2] += !f->at[i];
    return pairs > 1 && ((!zeros[0] && 4 * zeros[1] > 3 * pairs) || (!zeros[1] && 4 * zeros[0] > 3 * pairs));
}

/* Magics of letters and digits alone could be a column's name: their files hold what no text does. */
static bool is_text_after_all(const ebm_bytes *f, const char *magic)
{
    int64_t looked_at = f->length < TEXT_LOOKED_AT ? f->length : TEXT_LOOKED_AT;
    for (; *magic; magic++)
        if (!isalnum((unsigned char)*magic)) return false;
    for (int64_t i = 0; i < looked_at; i++)
        if (f->at[i] < ' ' && !memchr("\t\n\r\f", f->at[i], 4)) return false;
    return true;
}

static gibbs_status refuse(const ebm_bytes *f, const char *name, const char *remedy)
{
    return gibbs_fail(f->error, GIBBS_FORMAT, "%s: this is %s: %s", ebm_short_name(f->name), name, remedy);
}

gibbs_status ebm_refuse_foreign(const ebm_bytes *f)
{
    for (int i = 0; i < GIBBS_COUNT(foreign); i++) {
        int64_t length = (int64_t)foreign[i].length;
        if (f->length >= foreign[i].at + length &&
            !memcmp(f->at + foreign[i].at, foreign[i].magic, foreign[i].length) &&
            !is_text_after_all(f, foreign[i].magic))
            return refuse(f, foreign[i].name, foreign[i].remedy);
    }
    return is_utf16(f) ? refuse(f, "text in UTF-16", RECODE) : GIBBS_OK;
}

gibbs_status ebm_refuse_binary(const ebm_bytes *f)
{
    size_t looked_at = f->length < TEXT_LOOKED_AT ? (size_t)f->length : TEXT_LOOKED_AT;
    const unsigned char *zero = memchr(f->at, 0, looked_at);
    if (!zero) return GIBBS_OK;
    return gibbs_fail(f->error, GIBBS_FORMAT,
                      "%s: byte %lld is NUL: this is no text, nor another format that is known (npy, IDX, gzip)",
                      ebm_short_name(f->name), (long long)(zero - f->at));
}
