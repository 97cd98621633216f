package org.vhostuserrng.daemon;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.junit.jupiter.api.Test;

/** Only module libc and packages named sys may make native calls. JPMS enforces all other dependency rules. */
class NativeAccessArchitectureTest {
    private static final String[] SYS_PACKAGES = {"org.vhostuserrng..sys..", "org.vhostuserrng.libc.."};

    private static final JavaClasses DAEMON = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(
                    "org.vhostuserrng.libc",
                    "org.vhostuserrng.transport",
                    "org.vhostuserrng.backends",
                    "org.vhostuserrng.device",
                    "org.vhostuserrng.daemon");

    @Test
    void onlySysPackagesUseTheLinker() {
        noClasses()
                .that()
                .resideOutsideOfPackages(SYS_PACKAGES)
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Linker.class, SymbolLookup.class)
                .check(DAEMON);
    }

    @Test
    void onlySysPackagesReinterpretSegments() {
        noClasses()
                .that()
                .resideOutsideOfPackages(SYS_PACKAGES)
                .should()
                .callMethodWhere(DescribedPredicate.describe("calls MemorySegment.reinterpret", call -> {
                    AccessTarget.MethodCallTarget target = call.getTarget();
                    return target.getOwner().isEquivalentTo(MemorySegment.class)
                            && target.getName().equals("reinterpret");
                }))
                .check(DAEMON);
    }

    @Test
    void deviceDoesNotUseSysPackages() {
        noClasses()
                .that()
                .resideInAPackage("org.vhostuserrng.device..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SYS_PACKAGES)
                .check(DAEMON);
    }
}
