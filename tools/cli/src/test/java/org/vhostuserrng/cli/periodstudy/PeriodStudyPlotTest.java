package org.vhostuserrng.cli.periodstudy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.libc.NativePath;

class PeriodStudyPlotTest {
    private static final GuestThroughputSeries BURSTS =
            new GuestThroughputSeries("bursts", List.of(4_000_000L, 0L, 0L, 0L, 4_000_000L, 0L, 0L, 0L, 0L, 0L));
    private static final GuestThroughputSeries EVEN = new GuestThroughputSeries(
            "even, \"quoted\"",
            List.of(
                    800_000L, 800_000L, 800_000L, 800_000L, 800_000L, 800_000L, 800_000L, 800_000L, 800_000L,
                    800_000L));

    @TempDir
    private Path directory;

    @Test
    void metricsAreComputedFromTheIntervals() {
        assertEquals(8.0, BURSTS.megabytesPerSecond(), 1e-9);
        assertEquals(8.0, EVEN.megabytesPerSecond(), 1e-9);
        assertEquals(4.0, BURSTS.peakMegabytes(), 1e-9);
        assertEquals(0.8, BURSTS.idleShare(), 1e-9);
        assertEquals(0.9, EVEN.seconds()[9], 1e-9);
    }

    @Test
    void csvHasOneLinePerIntervalAndOneColumnPerSeries() {
        List<String> lines =
                PeriodStudyCommand.csv(List.of(BURSTS, EVEN)).lines().toList();

        assertEquals("seconds,\"bursts\",\"even, \"\"quoted\"\"\"", lines.getFirst());
        assertEquals("0.4,4000000,800000", lines.get(5));
        assertEquals(11, lines.size());
    }

    @Test
    void svgAndPngShowEverySeries() throws Exception {
        PeriodStudyPlot plot = new PeriodStudyPlot("a title", List.of(BURSTS, EVEN));
        Path svg = directory.resolve("x.svg");
        Path png = NativePath.of(directory + "/\udcff.png");

        plot.svg(svg);
        plot.png(png);

        String text = Files.readString(svg);
        assertTrue(text.contains("a title"));
        for (Color color : List.of(PeriodStudyPlot.COLORS.get(0), PeriodStudyPlot.COLORS.get(1))) {
            String rgb = "rgb(" + color.getRed() + "," + color.getGreen() + "," + color.getBlue() + ")";
            assertTrue(text.contains(rgb), rgb);
        }
        BufferedImage image = ImageIO.read(Files.newInputStream(png));
        assertNotNull(image);
        assertTrue(image.getHeight() > image.getWidth() / 4);
    }
}
