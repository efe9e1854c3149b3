# SPDX-License-Identifier: GPL-2.0-only
# What people type: one static binary under many names, the scripts around mosrun, the manual and
# the completion of the shell. Included by CMakeLists.txt.
find_library(OM_NCURSES NAMES libncurses.a REQUIRED)
find_library(OM_TINFO NAMES libtinfo.a REQUIRED)
find_program(OM_INFOCMP infocmp REQUIRED)

# Descriptions of the usual terminals, for nodes without a terminfo database.
set(OM_TERMINALS "")
foreach(terminal linux vt100 vt102 vt220 ansi xterm xterm-256color screen screen-256color tmux
        tmux-256color)
  execute_process(COMMAND ${OM_INFOCMP} -Q2 -q ${terminal}
    OUTPUT_VARIABLE description RESULT_VARIABLE status ERROR_QUIET)
  if(status EQUAL 0)
    string(REGEX REPLACE "[ \t\n]" "" description "${description}")
    string(APPEND OM_TERMINALS "{\"${terminal}\", \"${description}\"},\n")
  elseif(terminal STREQUAL "vt100")
    message(FATAL_ERROR "infocmp does not know vt100: install ncurses-base")
  endif()
endforeach()
file(CONFIGURE OUTPUT generated/terminals.inc CONTENT "${OM_TERMINALS}" @ONLY)

om_library(om_people SOURCES
  common/hpc.cpp
  common/omd_client.cpp
  common/places.cpp
  common/printable.cpp
  common/program.cpp
  common/users.cpp
  mosctl/figures.cpp
  mosctl/program.cpp
  mosctl/switches.cpp
  mosmon/model.cpp
  mosmon/program.cpp
  mosmon/view.cpp
  moswhy/explain.cpp
  moswhy/lock_story.cpp
  moswhy/mappings.cpp
  moswhy/mounts.cpp
  moswhy/program.cpp
  moswhy/reasons/clone_vm.cpp
  moswhy/reasons/common.cpp
  moswhy/reasons/mapped.cpp
  moswhy/reasons/mem_lock.cpp
  moswhy/reasons/monkey.cpp
  moswhy/reasons/nature.cpp
  moswhy/reasons/pkey.cpp
  moswhy/reasons/rings.cpp
  moswhy/reasons/rt_sched.cpp
  moswhy/reasons/syscalls.cpp
  moswhy/render.cpp
  moswhy/report.cpp
  moswhy/subject.cpp
  moswhy/writers.cpp
  mps/mps.cpp
  mps/mtop.cpp
  mps/row.cpp
  mps/select.cpp
  mps/usage.cpp
  screen/screen.cpp
  setpe/options.cpp
  setpe/program.cpp
  setpe/table.cpp
  showmap/program.cpp
  OM om_core
  LIBS ${OM_NCURSES} ${OM_TINFO}
)
# Compiled by itself even where files are taken together: each has a name, a usage and options of its own.
set_source_files_properties(mosctl/program.cpp mosmon/program.cpp moswhy/program.cpp mps/mps.cpp
  mps/mtop.cpp setpe/program.cpp showmap/program.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

set(OM_NAMES moswhy mosctl setpe showmap mosmon mps mtop)
set(OM_WRAPPERS nomig runhome runon cpujob iojob nodecay slowdecay fastdecay)
set(OM_GUEST ${CMAKE_BINARY_DIR}/guest)
om_guest_program(openmosix-tools SOURCES main.cpp OM om_people)
foreach(name ${OM_NAMES})
  file(CREATE_LINK openmosix-tools ${OM_GUEST}/bin/${name} SYMBOLIC)
endforeach()
foreach(name ${OM_WRAPPERS})
  configure_file(mosrun/wrapper.sh ${OM_GUEST}/bin/${name} COPYONLY)
endforeach()
file(GLOB OM_PAGES CONFIGURE_DEPENDS man/*.[1-8])
foreach(page ${OM_PAGES})
  cmake_path(GET page EXTENSION LAST_ONLY section)  # of omd.conf.5 it is .5
  cmake_path(GET page FILENAME name)
  string(SUBSTRING ${section} 1 1 section)
  configure_file(${page} ${OM_GUEST}/share/man/man${section}/${name} COPYONLY)
endforeach()
foreach(name ${OM_WRAPPERS})
  file(CONFIGURE OUTPUT ${OM_GUEST}/share/man/man1/${name}.1 CONTENT ".so man1/mosrun.1\n")
endforeach()
configure_file(completion/openmosix.bash ${OM_GUEST}/share/openmosix/completion.bash COPYONLY)
file(MAKE_DIRECTORY ${OM_GUEST}/share/bash-completion/completions)
foreach(name ${OM_NAMES} ${OM_WRAPPERS} mosrun migrate)
  file(CREATE_LINK ../../openmosix/completion.bash
    ${OM_GUEST}/share/bash-completion/completions/${name} SYMBOLIC)
endforeach()

add_executable(om_people_test
  common/hpc_test.cpp
  common/printable_test.cpp
  man/man_test.cpp
  mosctl/mosctl_test.cpp
  mosmon/view_test.cpp
  moswhy/live_test.cpp
  moswhy/lock_story_test.cpp
  moswhy/mappings_test.cpp
  moswhy/reasons_test.cpp
  moswhy/report_test.cpp
  mps/mps_test.cpp
  setpe/setpe_test.cpp
)
target_compile_definitions(om_people_test PRIVATE OM_SOURCE="${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(om_people_test PRIVATE om_people GTest::gmock GTest::gtest_main)
if(DEFINED MOSRIG_TESTS AND NOT MOSRIG_TESTS)
  set_target_properties(om_people_test PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
gtest_discover_tests(om_people_test TEST_PREFIX tools: DISCOVERY_MODE PRE_TEST
  PROPERTIES TIMEOUT 120)
