/*
 * stdio.h: what a program with a main prints with. The formatting into buffers that drivers use too is in wdmrtl.h.
 *
 * Rule: all text goes to the lab's console; there is no input (end of file at once), and files live in memory while the
 * machine does.
 */
#ifndef _WSKLAB_STDIO_H_
#define _WSKLAB_STDIO_H_

#include "wdmrtl.h"
#include "stdlib.h"

#define EOF (-1)
#define BUFSIZ 512
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
struct wsklab_file {
    struct wsklab_file *next;
    char *name;
    char *content;
    size_t size;
};
typedef struct _iobuf {
    struct wsklab_file *file; /* none: the console */
    size_t position;
    int at_end;
} FILE;
extern FILE wsklab_streams[3];
extern struct wsklab_file *wsklab_files;
#define stdin (&wsklab_streams[0])
#define stdout (&wsklab_streams[1])
#define stderr (&wsklab_streams[2])

int printf(const char *format, ...);
int vprintf(const char *format, va_list argptr);
void wsklab_write(const void *Data, size_t Size);

FORCEINLINE size_t fwrite(const void *buffer, size_t size, size_t count, FILE *stream)
{
    struct wsklab_file *file = stream->file;
    size_t end = stream->position + size * count;
    if (!file) {
        wsklab_write(buffer, size * count);
        return count;
    }
    if (end > file->size) {
        file->content = (char *)realloc(file->content, end);
        file->size = end;
    }
    memcpy(file->content + stream->position, buffer, size * count);
    stream->position = end;
    return count;
}
FORCEINLINE size_t fread(void *buffer, size_t size, size_t count, FILE *stream)
{
    size_t left = stream->file ? stream->file->size - stream->position : 0;
    size_t whole = size ? left / size : 0;
    stream->at_end = whole < count;
    if (whole > count) whole = count;
    if (whole) memcpy(buffer, stream->file->content + stream->position, size * whole);
    stream->position += size * whole;
    return whole;
}
FORCEINLINE int fputs(const char *str, FILE *stream)
{
    fwrite(str, 1, strlen(str), stream);
    return 0;
}
FORCEINLINE int puts(const char *str)
{
    fputs(str, stdout);
    wsklab_write("\n", 1);
    return 0;
}
FORCEINLINE int fputc(int c, FILE *stream)
{
    char character = (char)c;
    fwrite(&character, 1, 1, stream);
    return (unsigned char)c;
}
FORCEINLINE int putchar(int c)
{
    return fputc(c, stdout);
}
#define putc fputc
FORCEINLINE int fgetc(FILE *stream)
{
    unsigned char character;
    return fread(&character, 1, 1, stream) ? character : EOF;
}
#define getc fgetc
#define getchar() fgetc(stdin)
FORCEINLINE char *fgets(char *str, int numChars, FILE *stream)
{
    int length = 0, c = 0;
    while (length < numChars - 1 && c != '\n' && (c = fgetc(stream)) != EOF) str[length++] = (char)c;
    if (!length) return NULL;
    str[length] = 0;
    return str;
}
FORCEINLINE int vfprintf(FILE *stream, const char *format, va_list argptr)
{
    size_t length;
    char *text;
    if (!stream->file) return vprintf(format, argptr);
    length = wsklab_format(NULL, 0, 1, format, argptr, TRUE);
    text = (char *)malloc(length + 1);
    wsklab_format(text, length + 1, 1, format, argptr, TRUE);
    fwrite(text, 1, length, stream);
    free(text);
    return (int)length;
}
FORCEINLINE int fprintf(FILE *stream, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    return vfprintf(stream, format, arguments);
}
FORCEINLINE FILE *fopen(const char *filename, const char *mode)
{
    struct wsklab_file *file = wsklab_files;
    FILE *stream;
    while (file && strcmp(file->name, filename)) file = file->next;
    if (!file) {
        if (*mode == 'r') return NULL;
        file = (struct wsklab_file *)calloc(1, sizeof(*file));
        file->name = strcpy((char *)malloc(strlen(filename) + 1), filename);
        file->next = wsklab_files;
        wsklab_files = file;
    }
    if (*mode == 'w') file->size = 0;
    stream = (FILE *)calloc(1, sizeof(*stream));
    stream->file = file;
    stream->position = *mode == 'a' ? file->size : 0;
    return stream;
}
FORCEINLINE int fclose(FILE *stream)
{
    if (stream->file) free(stream);
    return 0;
}
FORCEINLINE int feof(FILE *stream)
{
    return stream->at_end;
}
FORCEINLINE int fseek(FILE *stream, long offset, int origin)
{
    long base = origin == SEEK_CUR ? (long)stream->position : origin == SEEK_END && stream->file ? (long)stream->file->size : 0;
    stream->position = (size_t)(base + offset);
    stream->at_end = 0;
    return 0;
}
FORCEINLINE long ftell(FILE *stream)
{
    return (long)stream->position;
}
FORCEINLINE int fflush(FILE *stream)
{
    UNREFERENCED_PARAMETER(stream);
    return 0;
}

#endif
