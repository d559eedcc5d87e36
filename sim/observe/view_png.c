#include "sim/observe/view_png.h"

#include "sim/base/outfile.h"
#include "sim/observe/view.h"
#include "sim/observe/view_draw.h"
#include "sim/observe/view_layout.h"

#include <png.h>
#include <stdlib.h>

/* libpng's simplified interface: it reports errors by return value, where the other one jumps. */
bool view_write_surface(SDL_Surface *surface, const char *file, struct diag *diag)
{
    SDL_Surface *rgb = SDL_ConvertSurfaceFormat(surface, SDL_PIXELFORMAT_RGB24, 0);
    if (!rgb)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: no memory for the picture: %s", file,
                        SDL_GetError());
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)rgb->w,
                       .height = (png_uint_32)rgb->h,
                       .format = PNG_FORMAT_RGB};
    struct outfile out;
    if (!outfile_open(&out, file, diag)) {
        SDL_FreeSurface(rgb);
        return false;
    }
    bool is_written = png_image_write_to_stdio(&image, out.to, 0, rgb->pixels, rgb->pitch, NULL) != 0;
    SDL_FreeSurface(rgb);
    if (is_written)
        return outfile_commit(&out, diag);
    outfile_abandon(&out);
    return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", file, image.message);
}

bool view_write_png(const struct view_model *model, const struct view_ui *ui, const struct view_size *size,
                    const char *file, struct diag *diag)
{
    struct canvas *canvas = canvas_create(size->width, size->height, view_scale(size, ui), diag);
    if (!canvas)
        return false;
    view_draw(canvas, model, ui);
    bool is_written = view_write_surface(canvas_surface(canvas), file, diag);
    canvas_destroy(canvas);
    return is_written;
}

bool view_screenshot(const struct view_source *source, const struct view_ui *ui, const struct view_size *size,
                     const char *file, struct diag *diag)
{
    struct view_model *model = view_model_create();
    bool is_collected = model && view_collect(model, source, ui->process_root);
    if (is_collected && ui->has_focus)
        view_collect_focus(model, source, ui->focus);
    bool is_done = is_collected ? view_write_png(model, ui, size, file, diag)
                                : diag_add(diag, EXIT_STATUS_INTERNAL, "%s: no memory", file);
    view_model_destroy(model);
    return is_done;
}
