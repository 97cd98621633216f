package org.vhostuserrng.cli.process;

import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;

/** Checks whether the host has fonts, which plots need. Minimal containers have none. */
public final class PlotFonts {
    private static final int SIZE = 12;

    private PlotFonts() {}

    /**
     * Checks that text can be drawn. Commands call this before they measure what the plots show.
     *
     * @throws IOException if there is no font; the message tells what to install
     */
    public static void require() throws IOException {
        Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        try {
            graphics.drawString(
                    "0",
                    0,
                    graphics.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, SIZE))
                            .getAscent());
        } catch (Error missing) {
            // Without fonts, java.desktop throws no exception but an Error, such as InternalError or LinkageError.
            throw new IOException("plots need a font: install fontconfig and fonts-dejavu-core", missing);
        } finally {
            graphics.dispose();
        }
    }
}
