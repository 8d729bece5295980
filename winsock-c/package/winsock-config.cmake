# find_package(winsock) for C and C++:
#
#   winsock::winsock      the headers and the library: libwinsock.a, which the program then holds;
#                         with BUILD_SHARED_LIBS, libwinsock.so
#   winsock::static       the one
#   winsock::shared       the other; what is loaded into one process must all link this one
#   winsock::main         for programs that begin with wmain, WinMain or wWinMain
#   winsock::short_wchar  wchar_t of 2 bytes as on Windows, and winsock::main for such programs
#
# _WIN32 and _WIN64 are defined, as Microsoft's compiler does.

get_filename_component(_winsock_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET winsock::winsock)
  add_library(winsock::headers INTERFACE IMPORTED)
  set_target_properties(winsock::headers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES
      "${_winsock_prefix}/include/winsock;${_winsock_prefix}/include/winsock/spellings"
    INTERFACE_COMPILE_DEFINITIONS "_WIN32=1;_WIN64=1"
    INTERFACE_COMPILE_OPTIONS "-fms-extensions;-pthread;-Wno-unknown-pragmas"
    INTERFACE_LINK_LIBRARIES "-pthread")

  add_library(winsock::static STATIC IMPORTED)
  set_target_properties(winsock::static PROPERTIES
    IMPORTED_LOCATION "${_winsock_prefix}/lib/libwinsock.a"
    INTERFACE_LINK_LIBRARIES "winsock::headers;dl;m")

  add_library(winsock::shared SHARED IMPORTED)
  set_target_properties(winsock::shared PROPERTIES
    IMPORTED_LOCATION "${_winsock_prefix}/lib/libwinsock.so"
    IMPORTED_SONAME "libwinsock.so"
    INTERFACE_LINK_LIBRARIES "winsock::headers")

  add_library(winsock::winsock INTERFACE IMPORTED)
  if(BUILD_SHARED_LIBS)
    set_target_properties(winsock::winsock PROPERTIES INTERFACE_LINK_LIBRARIES winsock::shared)
  else()
    set_target_properties(winsock::winsock PROPERTIES INTERFACE_LINK_LIBRARIES winsock::static)
  endif()

  add_library(winsock::main INTERFACE IMPORTED)
  set_target_properties(winsock::main PROPERTIES
    INTERFACE_LINK_LIBRARIES "${_winsock_prefix}/lib/winsock/start.o;winsock::winsock")

  add_library(winsock::short_wchar INTERFACE IMPORTED)
  set_target_properties(winsock::short_wchar PROPERTIES
    INTERFACE_COMPILE_OPTIONS "-fshort-wchar"
    INTERFACE_LINK_LIBRARIES
      "${_winsock_prefix}/lib/winsock/start-short-wchar.o;winsock::winsock")
endif()

unset(_winsock_prefix)
